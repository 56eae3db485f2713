"""A multi-label classifier's predictions as columns from which the bootstrap gets its metrics."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ftkeras.statistics.bootstrap import Tested
from ftkeras.statistics.label_metrics import sample_f1
from ftkeras.statistics.ratios import f1, mean_of


@dataclass(frozen=True)
class LabelPredictions:
    """One run's predicted labels; fulfils `bootstrap.Predictions`.

    Attributes:
        targets: the true labels, 0 or 1 [examples, labels].
        predicted: the predicted ones, 0 or 1 [examples, labels].
        probabilities: of the labels, float [examples, labels].
    """

    targets: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray

    metrics: ClassVar = ("micro_f1", "macro_f1", "subset_accuracy", "sample_f1")
    tested: ClassVar = Tested(
        name="sample_f1",
        plural="sample_f1s",
        better="has a higher F1 of an example",
        factor=100,
        unit=" points",
        decimals=1,
        compared="probability_of_labels",
        compared_title="probability of a label's true value, the mean over labels",
    )

    @property
    def truth(self) -> np.ndarray:
        """The true labels."""
        return self.targets

    @property
    def scores(self) -> np.ndarray:
        """The F1 of each example."""
        return sample_f1(self.targets, self.predicted)

    @property
    def compared(self) -> np.ndarray:
        """The probability given to what is true of a label, the mean over labels, [examples]."""
        right = np.where(self.targets == 1, self.probabilities, 1 - self.probabilities)
        return right.mean(axis=1)

    @property
    def shares(self) -> dict[str, int]:
        """The metrics that are shares, or means of numbers from 0 to 1, each with their number."""
        return dict.fromkeys(("subset_accuracy", "sample_f1"), len(self.targets))

    def table(self) -> "_Table":
        """Return the predictions as columns."""
        return _Table(self)


class _Table:
    """Predictions as columns whose weighted sums give the metrics, by one matrix product."""

    def __init__(self, run: LabelPredictions):
        targets, predicted = run.targets, run.predicted
        exact = (targets == predicted).all(axis=1)
        columns = [targets & predicted, targets, predicted, exact[:, None], run.scores[:, None]]
        self._columns = np.concatenate(columns, axis=1).astype(np.float32)

    def metrics(self, weights: np.ndarray) -> np.ndarray:
        """Return `LabelPredictions.metrics` for each row of weights, [rows, metrics]."""
        sums, total = (weights @ self._columns).astype(float), weights.sum(axis=1, dtype=float)
        correct, actual, predicted = np.split(sums[:, :-2], 3, axis=1)
        micro = f1(*(counts.sum(axis=1) for counts in (correct, predicted, actual)))
        macro = mean_of(f1(correct, predicted, actual), actual > 0)
        return np.stack([micro, macro, sums[:, -2] / total, sums[:, -1] / total], axis=1)
