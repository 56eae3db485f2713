"""Metrics of a multi-label classifier on one split, over all labels and per label."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np


def measure(
    targets: np.ndarray, predicted: np.ndarray, probabilities: np.ndarray
) -> dict[str, float | None]:
    """Return all metrics except the loss, by scikit-learn.

    The micro means count all decisions of all labels together. `macro_f1` is the unweighted mean of
    the labels' F1, and `auc` that of their areas under the ROC curve. Both exclude labels that no
    example has, of which nothing could be found, and `auc` also those that all examples have.
    `subset_accuracy` is the share of examples with exactly the right labels. `sample_f1` is the
    mean of each example's F1, which is 1 if it rightly has no label. `lrap` is the label ranking
    average precision.

    Args:
        targets: 0 or 1, [examples, labels].
        predicted: 0 or 1, [examples, labels].
        probabilities: [examples, labels].

    Returns:
        By name; None for what is undefined.

    >>> targets, predicted = np.array([[1, 0], [1, 1]]), np.array([[1, 0], [1, 0]])
    >>> measured = measure(targets, predicted, np.array([[0.9, 0.1], [0.8, 0.4]]))
    >>> [round(measured[name], 4) for name in ("micro_f1", "macro_f1", "subset_accuracy", "auc")]
    [0.8, 0.5, 0.5, 1.0]
    """
    from sklearn import metrics

    present = np.flatnonzero(targets.any(axis=0))
    ranked = np.flatnonzero(targets.any(axis=0) & ~targets.all(axis=0))
    micro: dict[str, Any] = {"average": "micro", "zero_division": 0.0}
    macro: dict[str, Any] = {"average": "macro", "zero_division": 0.0, "labels": present}
    decisions = _indicators(targets), _indicators(predicted)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(*decisions, **micro)
    return {
        "micro_f1": float(f1),
        "macro_f1": float(metrics.f1_score(*decisions, **macro)) if present.size else None,
        "micro_precision": float(precision),
        "micro_recall": float(recall),
        "subset_accuracy": float((targets == predicted).all(axis=1).mean()),
        "sample_f1": float(sample_f1(targets, predicted).mean()),
        "lrap": float(metrics.label_ranking_average_precision_score(targets, probabilities)),
        "auc": _area(targets[:, ranked], probabilities[:, ranked]),
    }


def per_label(
    targets: np.ndarray,
    predicted: np.ndarray,
    probabilities: np.ndarray,
    thresholds: Sequence[float],
    names: Sequence[str],
) -> dict:
    """Return the metrics of each label, and what the means exclude.

    Args:
        targets: 0 or 1, [examples, labels].
        predicted: 0 or 1, [examples, labels].
        probabilities: [examples, labels].
        thresholds: of the labels.
        names: of the labels.

    Returns:
        "absent_labels": those without an example; "per_label": the label, precision, recall, F1,
        area under the ROC curve (None if it is undefined), threshold and support (number of
        examples) of each label, as a list.
    """
    from sklearn import metrics

    # Arrays, as `average` is None. scikit-learn annotates its default for `zero_division` only.
    columns: Any = metrics.precision_recall_fscore_support(
        _indicators(targets),
        _indicators(predicted),
        average=None,
        labels=np.arange(len(names)),
        zero_division=cast(str, 0.0),
    )
    rows: list[dict] = [
        {
            "label": name,
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(f1),
            "auc": _area(targets[:, [n]], probabilities[:, [n]]),
            "threshold": float(thresholds[n]),
            "support": int(support),
        }
        for n, (name, precision, recall, f1, support) in enumerate(
            zip(names, *columns, strict=True)
        )
    ]
    absent = [row["label"] for row in rows if not row["support"]]
    return {"absent_labels": absent, "per_label": rows}


def _indicators(decisions: np.ndarray) -> np.ndarray:
    """Return decisions with a column of zeros beside a single one.

    scikit-learn would take a single column for examples of two classes.
    """
    return decisions if decisions.shape[1] > 1 else np.pad(decisions, [(0, 0), (0, 1)])


def sample_f1(targets: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the F1 of each example, [examples]; 1 if it has no label and none is predicted.

    >>> sample_f1(np.array([[1, 1], [0, 0]]), np.array([[1, 0], [0, 0]])).round(4).tolist()
    [0.6667, 1.0]
    """
    correct, total = (targets & predicted).sum(axis=1), targets.sum(axis=1) + predicted.sum(axis=1)
    return np.where(total > 0, 2 * correct / np.maximum(total, 1), 1.0)


def _area(targets: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Return the mean area under the ROC curve over labels; None if there is none."""
    from sklearn import metrics

    if not targets.size or len(np.unique(targets)) < 2:
        return None
    return float(metrics.roc_auc_score(targets, probabilities, average="macro"))
