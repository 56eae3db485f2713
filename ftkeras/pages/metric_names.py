"""The names of metrics, in words."""

# Words that begin with a capital letter everywhere.
NAMES = {
    **{"f1": "F1", "auc": "AUC", "mrr": "MRR", "mae": "MAE", "mcc": "MCC", "rmse": "RMSE"},
    **{"r2": "R²", "spearman": "Spearman", "pearson": "Pearson"},
}


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
    return " ".join(NAMES.get(word, word) for word in name.split("_"))
