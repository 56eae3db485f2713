"""ROC and precision-recall curves, with the point at which a model decides."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftkeras.figures import style
from ftkeras.support.short_names import shorten

# More points than this can't be seen, and make the page larger.
MOST_POINTS = 200
MOST_BACKGROUND_POINTS = 40
MOST_NAMED = 3
LABEL_WIDTH = 22
MOST_CURVES = 60


@dataclass(frozen=True)
class Scored:
    """The scores of one class.

    Attributes:
        name: of the class.
        is_positive: whether each example has it, bool [examples].
        scores: the higher, the more probable, float [examples].
        is_predicted: whether the model decides for it, bool [examples].
    """

    name: str
    is_positive: np.ndarray
    scores: np.ndarray
    is_predicted: np.ndarray

    @property
    def has_both(self) -> bool:
        """True if some examples have the class and some do not."""
        return bool(self.is_positive.any() and not self.is_positive.all())

    @functools.cached_property
    def auc(self) -> float:
        """The area under the ROC curve."""
        from sklearn.metrics import roc_auc_score

        return float(roc_auc_score(self.is_positive, self.scores))

    @functools.cached_property
    def average_precision(self) -> float:
        """The average precision, Σ (recall_n − recall_n−1) precision_n."""
        from sklearn.metrics import average_precision_score

        return float(average_precision_score(self.is_positive, self.scores))


@dataclass(frozen=True)
class Roc:
    """Draws ROC curves: of one class, or of several, of which the worst are named.

    Attributes:
        classes: with examples that have them and examples that do not.
    """

    classes: Sequence[Scored]

    def __call__(self, figure: Any) -> None:
        """Draw them on an empty matplotlib figure."""
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=style.MUTED, linestyle=":", linewidth=1)
        ordered = _worst_last(self.classes, [one.auc for one in self.classes])
        named = _draw(axes, ordered, roc_points, roc_decision)
        axes.set(xlabel="false positive rate", ylabel="true positive rate")
        style.legend(figure, named, loc="outside upper left", ncols=2)


@dataclass(frozen=True)
class PrecisionRecall:
    """Draws precision-recall curves: of one class, or of several, of which the worst are named.

    Attributes:
        classes: with examples that have them and examples that do not.
    """

    classes: Sequence[Scored]

    def __call__(self, figure: Any) -> None:
        """Draw them on an empty matplotlib figure."""
        axes = figure.subplots()
        ordered = _worst_last(self.classes, [one.average_precision for one in self.classes])
        named = _draw(axes, ordered, precision_recall_points, precision_recall_decision)
        axes.set(xlabel="recall", ylabel="precision")
        style.legend(figure, named, loc="outside upper left", ncols=2)


def roc_points(scored: Scored) -> tuple[np.ndarray, np.ndarray]:
    """Return the false and true positive rates at all thresholds."""
    from sklearn.metrics import roc_curve

    false, true, _ = roc_curve(scored.is_positive, scored.scores)
    return false, true


def precision_recall_points(scored: Scored) -> tuple[np.ndarray, np.ndarray]:
    """Return recall and precision at all thresholds."""
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(scored.is_positive, scored.scores)
    return recall, precision


def roc_decision(scored: Scored) -> tuple[float, float]:
    """Return the false and the true positive rate of the model's decisions."""
    positive, predicted = scored.is_positive, scored.is_predicted
    return float(predicted[~positive].mean()), float(predicted[positive].mean())


def precision_recall_decision(scored: Scored) -> tuple[float, float]:
    """Return recall and precision of the model's decisions; precision is 1 if there are none."""
    right = (scored.is_positive & scored.is_predicted).sum()
    predicted = scored.is_predicted.sum()
    return float(right / scored.is_positive.sum()), float(right / predicted) if predicted else 1.0


def thin(x: np.ndarray, y: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return at most so many points of a curve, evenly spread along its length, with both ends."""
    if len(x) <= most:
        return x, y
    length = np.concatenate([[0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    places = np.searchsorted(length, np.linspace(0, length[-1], most))
    places = np.unique(np.clip(places, 0, len(x) - 1))
    return x[places], y[places]


def _worst_last(classes: Sequence[Scored], areas: Sequence[float]) -> list[tuple[Scored, float]]:
    """Return the classes with the area under their curves, the smallest last."""
    return sorted(zip(classes, areas, strict=True), key=lambda pair: -pair[1])


def _draw(
    axes: Any, ordered: list[tuple[Scored, float]], points: Any, decision: Any
) -> list[tuple[Any, str]]:
    """Draw the curves, and return what the legend has, each with its text."""
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.grid()
    named = ordered[-MOST_NAMED:]
    for scored, _ in ordered[: len(ordered) - len(named)][-MOST_CURVES:]:
        x, y = points(scored)
        axes.plot(
            *thin(x, y, MOST_BACKGROUND_POINTS),
            color=style.MUTED,
            linewidth=0.6,
            alpha=0.5,
            in_layout=False,
        )
    legend = []
    names = shorten([scored.name for scored, _ in reversed(named)], LABEL_WIDTH)
    for (scored, area), name, color in zip(reversed(named), names, style.SERIES, strict=False):
        x, y = points(scored)
        (line,) = axes.plot(*thin(x, y, MOST_POINTS), color=color)
        legend.append((line, f"{name} ({area:.3f})"))
        axes.plot(*decision(scored), "o", color=color, markeredgecolor=style.PAPER, markersize=7)
    (dot,) = axes.plot([], [], "o", color=style.MUTED, markersize=5)
    return [*legend, (dot, "the model decides here")]
