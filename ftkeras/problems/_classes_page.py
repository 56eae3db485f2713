"""The report page of a classifier: its confusions, its classes, and its thresholds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras.figures.curves import Scored
from ftkeras.figures.heat_map import HeatMap, order_by_similarity
from ftkeras.figures.parts import Column, Part, Plot, Slider, Table
from ftkeras.problems import _baselines
from ftkeras.problems._baselines import Baseline, BaselineData
from ftkeras.problems._page import Row, Texts
from ftkeras.problems._thresholds_page import curves, slider
from ftkeras.statistics.class_predictions import ClassPredictions
from ftkeras.statistics.ratios import f1

# A matrix of more classes than this shows only those that are confused most.
MOST_CLASSES = 100
MOST_PAIRS = 50


class ClassesPage:
    """Offers the parts of a page to problems whose answer is one class."""

    names: tuple[str, ...]

    def page_parts(
        self, rows: Sequence[Row], texts: Texts | None, metrics: Mapping[str, Any]
    ) -> list[Part]:
        """Return the confusion matrix, a row for each class, curves, and a threshold slider."""
        number = {name: index for index, name in enumerate(self.names)}
        truth = np.array([number[row["label"]] for row in rows])
        probabilities = np.array([row["probabilities"] for row in rows])
        predicted = np.array([number[row["predicted"]] for row in rows])
        counts = np.zeros((len(self.names), len(self.names)), int)
        np.add.at(counts, (truth, predicted), 1)
        scored = [
            Scored(name, truth == n, probabilities[:, n], predicted == n)
            for n, name in enumerate(self.names)
        ]
        # Of two classes, one curve says all.
        shown = scored[1:] if len(scored) == 2 else scored
        return [
            *confusion(counts, self.names),
            class_table(counts, scored),
            *curves(shown, "class"),
            *_sliders(shown),
        ]

    def baselines(self, data: BaselineData) -> list[Baseline]:
        """Return the most frequent class, and a logistic regression."""
        number = {name: index for index, name in enumerate(self.names)}
        labels = np.array([number[row["label"]] for row in data.rows])
        shares = np.bincount(np.asarray(data.targets), minlength=len(self.names))
        constant = np.tile(shares / shares.sum(), (len(labels), 1))
        linear = _baselines.class_probabilities(data, len(self.names))
        return [
            Baseline("always the most frequent class", ClassPredictions(labels, constant)),
            Baseline(_baselines.LINEAR, ClassPredictions(labels, linear)),
        ]


def confusion(counts: np.ndarray, names: Sequence[str]) -> list[Part]:
    """Return a confusion matrix as a heat map, and its most frequent confusions as a table.

    Args:
        counts: a row for each true class, a column for each predicted one.
        names: of the classes.
    """
    order, notes = (
        np.arange(len(names)),
        ["The stronger the colour, the larger the share of the true class."],
    )
    errors = counts - np.diag(np.diag(counts))
    if len(names) > 2:
        if len(names) > MOST_CLASSES:
            order = np.argsort(-(errors.sum(axis=0) + errors.sum(axis=1)))[:MOST_CLASSES]
            notes.append(f"The {MOST_CLASSES} classes that are confused most.")
        if len(names) > 6:
            order = order[order_by_similarity(counts[np.ix_(order, order)])]
            notes.append("Classes that are confused stand next to each other.")
    shown, labels = counts[np.ix_(order, order)], [names[n] for n in order.tolist()]
    heat_map = HeatMap(shown, labels, labels, "true class", "predicted class", counts.sum(1)[order])
    parts: list[Part] = [
        Plot(
            "confusion",
            "Confusion matrix",
            heat_map,
            alt=f"{np.trace(counts):,} of {counts.sum():,} examples are on the diagonal.",
            note=" ".join(notes),
            size=heat_map.size,
        )
    ]
    if len(names) > 2 and errors.any():
        parts.append(_worst_pairs(errors, counts.sum(axis=1), names))
    return parts


def _worst_pairs(errors: np.ndarray, totals: np.ndarray, names: Sequence[str]) -> Table:
    true, predicted = np.nonzero(errors)
    order = np.argsort(-errors[true, predicted], kind="stable")[:MOST_PAIRS]
    rows = [
        [names[t], names[p], int(errors[t, p]), float(errors[t, p] / totals[t])]
        for t, p in zip(true[order], predicted[order], strict=True)
    ]
    columns = ["true class", "predicted", "examples", _share("share of the true class")]
    return Table("confusions", "Most frequent confusions", columns, rows)


def class_table(counts: np.ndarray, scored: Sequence[Scored]) -> Table:
    """Return the metrics of each class.

    Args:
        counts: the confusion matrix.
        scored: the classes.
    """
    right, actual, predicted = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    values = zip(right, actual, predicted, f1(right, predicted, actual), scored, strict=True)
    rows = [
        [
            one.name,
            int(a),
            int(p),
            float(r / p) if p else None,
            float(r / a) if a else None,
            float(f) if a else None,
            one.auc if one.has_both else None,
        ]
        for r, a, p, f, one in values
    ]
    titles = ["class", "examples", "predicted", *map(_score, ("precision", "recall", "F1", "AUC"))]
    return Table("classes", "Metrics of each class", titles, rows)


def _sliders(scored: Sequence[Scored]) -> list[Part]:
    title = f"Decide for “{scored[0].name}” from this probability"
    several = "Decide for a class from this probability"
    made: Slider | None = slider(scored, title if len(scored) == 1 else several, 0.5)
    return [] if made is None else [made]


def _share(title: str) -> Column:
    return Column(title, "{:.1%}", is_share=True)


def _score(title: str) -> Column:
    return Column(title, "{:.3f}", is_share=True)
