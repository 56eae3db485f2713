"""A classifier's predictions as columns from which the bootstrap computes its metrics."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ftkeras.statistics.bootstrap import Tested
from ftkeras.statistics.ratios import f1, log_loss, mean_of, ratio


@dataclass(frozen=True)
class ClassPredictions:
    """One run's predicted classes; fulfils `bootstrap.Predictions`.

    Attributes:
        labels: the true classes, integer [examples].
        probabilities: of each class, float [examples, classes].
    """

    labels: np.ndarray
    probabilities: np.ndarray

    metrics: ClassVar = ("accuracy", "log_loss", "precision", "recall", "f1", "auc")
    tested: ClassVar = Tested(
        name="accuracy",
        plural="accuracies",
        better="is more accurate",
        factor=100,
        unit=" points",
        decimals=1,
        compared="probability_of_label",
        compared_title="probability of the true label",
    )

    @property
    def correct(self) -> np.ndarray:
        """True for each correct prediction, bool [examples]."""
        return self.probabilities.argmax(axis=1) == self.labels

    @property
    def true_probabilities(self) -> np.ndarray:
        """The probability given to each true label, float [examples]."""
        return self.probabilities[np.arange(len(self.labels)), self.labels]

    @property
    def truth(self) -> np.ndarray:
        """The true classes."""
        return self.labels

    @property
    def scores(self) -> np.ndarray:
        """True for each correct prediction; their mean is the accuracy."""
        return self.correct

    @property
    def compared(self) -> np.ndarray:
        """The probability of each true label, in which recipes may disagree."""
        return self.true_probabilities

    @property
    def shares(self) -> dict[str, int]:
        """The metrics that are shares, or means of numbers from 0 to 1, each with their number."""
        of_all = {"accuracy": len(self.labels)}
        if self.probabilities.shape[1] > 2:  # the others are means over classes
            return of_all
        predicted, actual = self.probabilities.argmax(axis=1), self.labels
        return {**of_all, "precision": int(predicted.sum()), "recall": int(actual.sum())}

    def table(self) -> "_Table":
        """Return the predictions as columns."""
        return _Table(self)


class _Table:
    """A run's predictions as columns whose weighted sums give the metrics.

    One matrix product then evaluates many bootstrap samples.
    """

    def __init__(self, run: ClassPredictions):
        self._classes = run.probabilities.shape[1]
        actual = np.eye(self._classes, dtype=np.float32)[run.labels]
        predicted = np.eye(self._classes, dtype=np.float32)[run.probabilities.argmax(axis=1)]
        loss = log_loss(run.true_probabilities).astype(np.float32)
        columns = [actual * predicted, actual, predicted, loss[:, None]]
        self._columns = np.concatenate(columns, axis=1)
        ranked = [1] if self._classes == 2 else range(self._classes)
        self._rankings = [_Ranking(run.probabilities[:, c], actual[:, c] > 0) for c in ranked]

    def metrics(self, weights: np.ndarray) -> np.ndarray:
        """Return `ClassPredictions.metrics` for each row of weights, [rows, metrics]."""
        sums, total = (weights @ self._columns).astype(float), weights.sum(axis=1, dtype=float)
        correct, actual, predicted = np.split(sums[:, :-1], 3, axis=1)
        precision, recall = ratio(correct, predicted), ratio(correct, actual)
        by_class = (precision, recall, f1(correct, predicted, actual))
        # As in metrics.json: the second of two classes, or the mean over those that occur.
        averaged = [m[:, 1] if self._classes == 2 else mean_of(m, actual > 0) for m in by_class]
        areas = np.stack([ranking.auc(weights) for ranking in self._rankings], axis=1)
        auc = mean_of(areas, ~np.isnan(areas))
        accuracy, loss = correct.sum(axis=1) / total, sums[:, -1] / total
        return np.stack([accuracy, loss, *averaged, auc], axis=1)


class _Ranking:
    """The scores of one class in ascending order, for the area under its ROC curve.

    auc = Σ over positives w · (negatives scored lower + half of those scored equal) / (P · N)

    All counts are sums of example weights w; P and N are the sums of positives and of negatives.

    Source: Mann and Whitney, 1947; Fawcett, 2006, https://doi.org/10.1016/j.patrec.2005.10.010.

    Args:
        scores: float [examples].
        positive: bool [examples].
    """

    def __init__(self, scores: np.ndarray, positive: np.ndarray):
        self._order = np.argsort(scores, kind="stable")
        self._positive = positive[self._order].astype(np.float32)
        ranked = scores[self._order]
        self._first = np.searchsorted(ranked, ranked, "left")
        self._last = np.searchsorted(ranked, ranked, "right")

    def auc(self, weights: np.ndarray) -> np.ndarray:
        """Return the area for each row of weights; NaN without a positive or a negative."""
        weights = weights[:, self._order]
        positive = weights * self._positive
        below = np.zeros((len(weights), weights.shape[1] + 1))
        np.cumsum(weights - positive, axis=1, out=below[:, 1:])
        half = (below[:, self._first] + below[:, self._last]) / 2
        pairs = positive.sum(axis=1, dtype=float) * below[:, -1]
        with np.errstate(invalid="ignore"):
            return np.where(pairs > 0, (positive * half).sum(axis=1), np.nan) / np.maximum(pairs, 1)
