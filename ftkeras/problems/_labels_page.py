"""The report page of a multi-label classifier: its labels, their thresholds and mix-ups."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras.figures.curves import Scored
from ftkeras.figures.heat_map import HeatMap, order_by_similarity
from ftkeras.figures.parts import Column, Part, Plot, Table
from ftkeras.problems import _baselines
from ftkeras.problems._baselines import Baseline, BaselineData
from ftkeras.problems._page import Row, Texts
from ftkeras.problems._thresholds_page import curves, slider
from ftkeras.statistics.label_predictions import LabelPredictions
from ftkeras.statistics.ratios import f1

# A matrix of more labels than this shows only those that are mixed up most.
MOST_LABELS = 100


class LabelsPage:
    """Offers the parts of a page to problems whose answer is a set of labels.

    Attributes:
        names: of the labels.
        thresholds: the probability from which each label is predicted.
    """

    names: tuple[str, ...]
    thresholds: list[float]
    _threshold: str | float

    def page_parts(
        self, rows: Sequence[Row], texts: Texts | None, metrics: Mapping[str, Any]
    ) -> list[Part]:
        """Return a row for each label, curves, a threshold slider, and labels that are mixed up."""
        truth, predicted = (self._indicators(rows, key) for key in ("labels", "predicted"))
        probabilities = np.array([row["probabilities"] for row in rows])
        scored = [
            Scored(name, truth[:, n], probabilities[:, n], predicted[:, n])
            for n, name in enumerate(self.names)
        ]
        control = slider(scored, "Predict a label from this probability", self.thresholds)
        return [
            label_table(scored, self.thresholds),
            *curves(scored, "label"),
            *([] if control is None else [control]),
            *mix_ups(truth, predicted, self.names),
            *_counts(truth, predicted),
        ]

    def baselines(self, data: BaselineData) -> list[Baseline]:
        """Return the most frequent labels, and a logistic regression for each label."""
        truth = self._indicators(data.rows, "labels").astype(int)
        shares = np.asarray(data.targets, float).mean(axis=0)
        always = shares >= min(0.5, shares.max())
        constant = [np.tile(values, (len(truth), 1)) for values in (always.astype(int), shares)]
        own = self._threshold
        fixed = own if isinstance(own, float) else None
        predicted, probabilities = _baselines.label_answers(data, fixed)
        predictions = LabelPredictions(truth, predicted.astype(int), probabilities)
        return [
            Baseline("always the most frequent label", LabelPredictions(truth, *constant)),
            Baseline(_baselines.LINEAR, predictions),
        ]

    def _indicators(self, rows: Sequence[Row], key: str) -> np.ndarray:
        """Return which labels each row has under a key, bool [rows, labels]."""
        number = {name: index for index, name in enumerate(self.names)}
        indicators = np.zeros((len(rows), len(self.names)), bool)
        for place, row in enumerate(rows):
            indicators[place, [number[name] for name in row[key]]] = True
        return indicators


def label_table(scored: Sequence[Scored], thresholds: Sequence[float]) -> Table:
    """Return the metrics of each label at its threshold."""
    rows = []
    for one, threshold in zip(scored, thresholds, strict=True):
        actual, predicted = int(one.is_positive.sum()), int(one.is_predicted.sum())
        right = int((one.is_positive & one.is_predicted).sum())
        rows.append(
            [
                one.name,
                actual,
                predicted,
                float(threshold),
                right / predicted if predicted else None,
                right / actual if actual else None,
                float(f1(*map(np.array, (right, predicted, actual)))) if actual else None,
                one.auc if one.has_both else None,
            ]
        )
    shares = [
        Column(title, "{:.3f}", is_share=True) for title in ("precision", "recall", "F1", "AUC")
    ]
    columns = ["label", "examples", "predicted", Column("threshold", "{:.2f}"), *shares]
    return Table("labels", "Metrics of each label", columns, rows)


def mix_ups(truth: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> list[Part]:
    """Return which labels are predicted instead of which, as a heat map.

    Args:
        truth: bool [examples, labels].
        predicted: bool [examples, labels].
        names: of the labels.
    """
    missed, wrong = truth & ~predicted, predicted & ~truth
    counts = missed.astype(int).T @ wrong.astype(int)
    if not counts.any():
        return []
    involved = counts.sum(axis=0) + counts.sum(axis=1)
    order = np.flatnonzero(involved) if len(names) > 12 else np.arange(len(names))
    order = order[np.argsort(-involved[order], kind="stable")][:MOST_LABELS]
    if len(order) > 3:
        order = order[order_by_similarity(counts[np.ix_(order, order)])]
    labels: list[str] = [names[int(n)] for n in order]
    heat_map = HeatMap(
        counts[np.ix_(order, order)],
        labels,
        labels,
        "missed label",
        "wrongly predicted label",
        truth.sum(axis=0)[order],
    )
    return [
        Plot(
            "mix_ups",
            "Labels that are predicted instead of others",
            heat_map,
            alt=f"{counts.sum():,} pairs of a missed and a wrongly predicted label.",
            note="The stronger the colour, the larger the share of examples with the missed label.",
            size=heat_map.size,
        )
    ]


def _counts(truth: np.ndarray, predicted: np.ndarray) -> list[Part]:
    """Return how many labels examples have, and how many are predicted."""
    most = int(max(truth.sum(axis=1).max(), predicted.sum(axis=1).max()))
    counts = (np.bincount(one.sum(axis=1), minlength=most + 1) for one in (truth, predicted))
    rows = [[n, int(a), int(p)] for n, (a, p) in enumerate(zip(*counts, strict=True))]
    columns = ["number of labels", "examples that have them", "examples predicted to"]
    return [Table("labels_per_example", "Labels of an example", columns, rows)]
