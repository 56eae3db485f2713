"""Predicted answers as columns from which the bootstrap computes its metrics."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ftkeras.statistics.bootstrap import Tested


@dataclass(frozen=True)
class AnswerPredictions:
    """One run's answers to questions; fulfils `bootstrap.Predictions`.

    Attributes:
        exact: whether each answer is right, float [examples].
        f1: the F1 of its words, float [examples].
        truth: how many true answers each question has, integer [examples].
    """

    exact: np.ndarray
    f1: np.ndarray
    truth: np.ndarray

    metrics: ClassVar = ("f1", "exact_match")
    tested: ClassVar = Tested(
        name="f1",
        plural="f1_values",
        better="answers questions better",
        factor=100.0,
        unit=" points",
        decimals=2,
        compared="f1_of_answer",
        compared_title="F1 of the answer",
    )

    @property
    def scores(self) -> np.ndarray:
        """The F1 of each answer."""
        return self.f1

    @property
    def compared(self) -> np.ndarray:
        """The F1 of each answer, in which recipes disagree."""
        return self.f1

    def table(self) -> "_Table":
        """Return the predictions as columns."""
        return _Table(self)


class _Table:
    """Columns whose weighted means are the metrics."""

    def __init__(self, run: AnswerPredictions):
        self._columns = np.column_stack([run.f1, run.exact]).astype(float)

    def metrics(self, weights: np.ndarray) -> np.ndarray:
        """Return `AnswerPredictions.metrics` for each row of weights, [rows, metrics]."""
        weights = weights.astype(float)
        return weights @ self._columns / weights.sum(axis=1, keepdims=True)
