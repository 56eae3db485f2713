"""Predicted numbers as columns from which the bootstrap computes its metrics."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ftkeras.statistics.bootstrap import Tested


@dataclass(frozen=True)
class NumberPredictions:
    """One run's predicted numbers; fulfils `bootstrap.Predictions`.

    Attributes:
        targets: the true numbers, float [examples, outputs].
        values: the predicted ones, float [examples, outputs].
    """

    targets: np.ndarray
    values: np.ndarray

    metrics: ClassVar = ("spearman", "pearson", "rmse", "mae", "r2")
    tested: ClassVar = Tested(
        name="mae",
        plural="mean_absolute_errors",
        better="has a smaller mean absolute error",
        lower_is_better=True,
        compared="prediction",
        compared_title="prediction, the mean over outputs",
    )

    @property
    def truth(self) -> np.ndarray:
        """The true numbers."""
        return self.targets

    @property
    def scores(self) -> np.ndarray:
        """The absolute error of each example, the mean over its outputs."""
        return np.abs(self.targets - self.values).mean(axis=1)

    @property
    def compared(self) -> np.ndarray:
        """The predicted number of each example, the mean over its outputs."""
        return self.values.mean(axis=1)

    @property
    def shares(self) -> dict[str, int]:
        """The metrics that are shares, or means of numbers from 0 to 1, each with their number."""
        return {}

    def table(self) -> "_Table":
        """Return the predictions as columns."""
        return _Table(self)


class _Table:
    """One column pair for each output; each metric is the mean over the outputs.

    Of metrics that constant answers leave undefined, it is that over the outputs that vary.
    """

    def __init__(self, run: NumberPredictions):
        columns = zip(run.targets.T, run.values.T, strict=True)
        self._outputs = [_Output(targets, values) for targets, values in columns]
        self._varies = np.ptp(run.targets, axis=0) > 0

    def metrics(self, weights: np.ndarray) -> np.ndarray:
        """Return `NumberPredictions.metrics` for each row of weights, [rows, metrics]."""
        measured = np.array([output.metrics(weights) for output in self._outputs])
        counts = self._varies[:, np.newaxis, np.newaxis] | ~np.isnan(measured)
        with np.errstate(invalid="ignore"):  # if no output varies, there is no mean
            return np.where(counts, measured, 0).sum(axis=0) / counts.sum(axis=0)


class _Output:
    """The metrics of one output, for rows of example weights.

    Spearman's correlation is Pearson's of the ranks. With weights, the rank of a value is the sum
    of the weights below it plus half of the weights equal to it, as midranks are without.
    """

    def __init__(self, targets: np.ndarray, values: np.ndarray):
        self._targets, self._values = targets, values
        self._ranks = [_Ranks(targets), _Ranks(values)]

    def metrics(self, weights: np.ndarray) -> np.ndarray:
        """Return the metrics, [rows, 5]."""
        weights = weights.astype(float)
        total = weights.sum(axis=1)
        error = self._targets - self._values
        mean_square = weights @ np.square(error) / total
        # Each row by its own mean: a difference of squares would lose the digits beside an outlier.
        centered = _centered(weights, self._targets)
        variance = (weights * np.square(centered)).sum(axis=1) / total
        with np.errstate(divide="ignore", invalid="ignore"):
            r2 = 1 - mean_square / variance
        spearman = _pearson(weights, *(ranks(weights) for ranks in self._ranks))
        pearson = _pearson(weights, self._targets, self._values)
        # Of a constant they are undefined, but rounding gives one such as 3.3 a small variance.
        varies = _varies(weights, self._targets)
        both_vary = varies & _varies(weights, self._values)
        r2 = np.where(varies, r2, np.nan)
        spearman, pearson = (np.where(both_vary, r, np.nan) for r in (spearman, pearson))
        absolute = weights @ np.abs(error) / total
        return np.stack([spearman, pearson, np.sqrt(mean_square), absolute, r2], axis=1)


class _Ranks:
    """The weighted midranks of a column."""

    def __init__(self, column: np.ndarray):
        ordered = np.sort(column)
        self._order = np.argsort(column, kind="stable")
        self._first = np.searchsorted(ordered, column, "left")
        self._last = np.searchsorted(ordered, column, "right")

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        below = np.zeros((len(weights), weights.shape[1] + 1))
        np.cumsum(weights[:, self._order], axis=1, out=below[:, 1:])
        return (below[:, self._first] + below[:, self._last]) / 2


def _pearson(weights: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the weighted correlation of each row; meaningless if one of both is constant."""
    centered = [_centered(weights, x) for x in (first, second)]
    covariance = (weights * centered[0] * centered[1]).sum(axis=1)
    variances = [(weights * np.square(x)).sum(axis=1) for x in centered]
    with np.errstate(divide="ignore", invalid="ignore"):
        return covariance / np.sqrt(variances[0] * variances[1])


def _centered(weights: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Return a column less its weighted mean, or that of each row, [rows, examples]."""
    total = weights.sum(axis=1, keepdims=True)
    return column - (weights * column).sum(axis=1, keepdims=True) / total


def _varies(weights: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Return whether the examples with a weight differ in a column, bool [rows]."""
    low = np.where(weights > 0, column, np.inf).min(axis=1)
    return np.where(weights > 0, column, -np.inf).max(axis=1) > low
