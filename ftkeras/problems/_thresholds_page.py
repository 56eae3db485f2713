"""Curves over all thresholds of a probability, and a slider that moves one."""

from collections.abc import Sequence

import numpy as np

from ftkeras.figures.curves import PrecisionRecall, Roc, Scored
from ftkeras.figures.parts import Part, Plot, Slider
from ftkeras.statistics.ratios import f1

THRESHOLDS = np.round(np.arange(0.0, 1.001, 0.02), 2)
MOST_CHOICES = 100
COLUMNS = ("threshold", "precision", "recall", "F1", "predicted", "wrongly predicted", "missed")


def curves(scored: Sequence[Scored], noun: str) -> list[Part]:
    """Return ROC and precision-recall curves of all classes that have both kinds of examples.

    Args:
        scored: the classes.
        noun: what they are called.
    """
    shown = [one for one in scored if one.has_both]
    if not shown:
        return []
    areas = [one.auc for one in shown]
    precision = [one.average_precision for one in shown]
    note = f"Of “{shown[0].name}”. The number is the area under the curve."
    if len(shown) > 1:
        few = min(3, len(shown))
        note = f"The {few} with the smallest area, which is the number; grey: every other {noun}."
    return [
        Plot(
            "roc",
            "ROC curve" if len(shown) == 1 else "ROC curves",
            Roc(shown),
            alt=f"Area under the curve: mean {np.mean(areas):.3f}, least {min(areas):.3f}.",
            note=note,
        ),
        Plot(
            "precision_recall",
            "Precision and recall",
            PrecisionRecall(shown),
            alt=f"Average precision: mean {np.mean(precision):.3f}, least {min(precision):.3f}.",
            note=note,
        ),
    ]


def slider(scored: Sequence[Scored], title: str, start: float | Sequence[float]) -> Slider | None:
    """Return a slider over the thresholds of classes; None if no class has an example.

    Args:
        scored: the classes; of many, those with the most examples are offered.
        title: of the slider.
        start: the threshold it starts from, or that of each class.
    """
    starts = np.broadcast_to(np.asarray(start, float), len(scored))
    chosen = [pair for pair in zip(scored, starts, strict=True) if pair[0].is_positive.any()]
    if len(chosen) > MOST_CHOICES:
        chosen.sort(key=lambda pair: -pair[0].is_positive.sum())
        chosen = chosen[:MOST_CHOICES]
    if not chosen:
        return None
    sets = {one.name: at_thresholds(one, threshold) for one, threshold in chosen}
    begin = {
        one.name: int(np.searchsorted(_thresholds(threshold), threshold))
        for one, threshold in chosen
    }
    return Slider(title, COLUMNS, sets, begin)


def at_thresholds(scored: Scored, own: float = 0.5) -> list[list[str]]:
    """Return the row of a slider at each threshold, that of the model among them."""
    order = np.sort(scored.scores)
    positive = np.sort(scored.scores[scored.is_positive])
    rows = []
    for threshold in _thresholds(own):
        predicted = len(order) - int(np.searchsorted(order, threshold))
        right = len(positive) - int(np.searchsorted(positive, threshold))
        numbers = (predicted, predicted - right, len(positive) - right)
        rows.append(
            [
                f"{threshold:.3g}",
                f"{right / predicted:.3f}" if predicted else "–",
                f"{right / len(positive):.3f}",
                f"{float(f1(np.array(right), np.array(predicted), np.array(len(positive)))):.3f}",
                *(f"{number:,}" for number in numbers),
            ]
        )
    return rows


def _thresholds(own: float) -> np.ndarray:
    return np.unique(np.append(THRESHOLDS, own))
