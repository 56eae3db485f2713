"""The names of metrics, in words."""


def title(name: str) -> str:
    """Return a metric's name in words.

    >>> title("micro_f1"), title("recall_at_5"), title("auc")
    ('Micro F1', 'Recall at 5', 'AUC')
    """
    upper = {"f1": "F1", "auc": "AUC", "mrr": "MRR", "mae": "MAE", "rmse": "RMSE", "r2": "R²"}
    words = " ".join(upper.get(word, word) for word in name.split("_"))
    return words[0].upper() + words[1:]
