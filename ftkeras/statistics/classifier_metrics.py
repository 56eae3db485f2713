"""Metrics of a classifier on one split, over all classes and per class, by scikit-learn."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

NAMES = (
    *("accuracy", "loss", "precision", "recall", "f1", "auc"),
    *("macro_f1", "mcc", "balanced_accuracy"),
)


def measure(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float | None]:
    """Return all of NAMES except the loss.

    With two classes, `precision`, `recall`, `f1` and `auc` are those of the second class. With
    more, they are the unweighted mean over classes, and the area is one-vs-rest. `macro_f1` and
    `balanced_accuracy` (the mean recall) are means over classes in any case. A class that does not
    occur in `labels` is excluded from each mean, because nothing could be found of it. `mcc` is
    Matthews' correlation coefficient.

    Args:
        labels: integer [examples].
        probabilities: [examples, classes].

    Returns:
        The area is None if all examples are of one class.

    >>> labels, sure = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    >>> measured = measure(labels, sure)
    >>> measured["recall"], measured["balanced_accuracy"], measured["auc"]
    (0.5, 0.75, 1.0)
    """
    from sklearn import metrics

    predicted, present = probabilities.argmax(axis=1), np.unique(labels)
    over_classes: dict[str, Any] = {"average": "macro", "labels": present, "zero_division": 0.0}
    of_second: dict[str, Any] = {"average": "binary", "zero_division": 0.0}
    mean = metrics.precision_recall_fscore_support(labels, predicted, **over_classes)
    is_binary = probabilities.shape[1] == 2
    is_varied = len(np.union1d(present, predicted)) > 1
    main = mean
    if is_binary:
        main = metrics.precision_recall_fscore_support(labels, predicted, **of_second)
    return {
        "accuracy": float(metrics.accuracy_score(labels, predicted)),
        "precision": float(main[0]),
        "recall": float(main[1]),
        "f1": float(main[2]),
        "auc": _area(labels, probabilities, present),
        "macro_f1": float(mean[2]),
        # Of a single class, scikit-learn returns 0 too, but warns of its own confusion matrix.
        "mcc": float(metrics.matthews_corrcoef(labels, predicted)) if is_varied else 0.0,
        "balanced_accuracy": float(mean[1]),
    }


def per_class(labels: np.ndarray, probabilities: np.ndarray, names: Sequence[str]) -> dict:
    """Return the metrics of each class, and what the metrics of all classes refer to.

    Args:
        labels: integer [examples].
        probabilities: [examples, classes].
        names: of the classes.

    Returns:
        "positive_class": the class of `precision`, `recall`, `f1` and `auc`, or None if they are
        means; "absent_classes": those without an example, which the means exclude; "per_class": the
        label, precision, recall, F1 and support (number of examples) of each class, as a list.

    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    >>> measured = per_class(np.array([0, 1, 1]), p, "ab")
    >>> row = measured["per_class"][1]
    >>> measured["positive_class"], row["recall"], row["support"]
    ('b', 0.5, 2)
    """
    from sklearn import metrics

    # Arrays, as `average` is None. scikit-learn annotates its default for `zero_division` only.
    columns: Any = metrics.precision_recall_fscore_support(
        labels,
        probabilities.argmax(axis=1),
        labels=np.arange(len(names)),
        zero_division=cast(str, 0.0),
    )
    rows: list[dict] = [
        {
            "label": name,
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(f1),
            "support": int(support),
        }
        for name, precision, recall, f1, support in zip(names, *columns, strict=True)
    ]
    return {
        "positive_class": names[1] if len(names) == 2 else None,
        "absent_classes": [row["label"] for row in rows if not row["support"]],
        "per_class": rows,
    }


def _area(labels: np.ndarray, probabilities: np.ndarray, present: np.ndarray) -> float | None:
    """Return the area under the ROC curve, of several classes the mean; None if it is undefined."""
    from sklearn import metrics

    if len(present) < 2:
        return None
    if probabilities.shape[1] == 2:
        return float(metrics.roc_auc_score(labels, probabilities[:, 1]))
    actual = labels[:, None] == present
    return float(metrics.roc_auc_score(actual, probabilities[:, present], average="macro"))
