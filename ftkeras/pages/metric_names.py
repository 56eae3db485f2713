"""The names of metrics, in words."""


def title(name: str) -> str:
    """Return a metric's name in words.

    >>> title("micro_f1"), title("recall_at_5"), title("auc")
    ('Micro F1', 'Recall at 5', 'AUC')
    """
    named = words(name)
    return named[0].upper() + named[1:]


def words(name: str) -> str:
    """Return the same as it is written within a sentence.

    >>> words("micro_f1")
    'micro F1'
    """
    upper = {"f1": "F1", "auc": "AUC", "mrr": "MRR", "mae": "MAE", "rmse": "RMSE", "r2": "R²"}
    return " ".join(upper.get(word, word) for word in name.split("_"))
