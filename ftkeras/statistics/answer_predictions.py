"""Predicted answers as columns from which the bootstrap computes its metrics."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ftkeras.statistics.bootstrap import Tested
from ftkeras.statistics.ratios import WeightedMeans


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

    @property
    def shares(self) -> dict[str, int]:
        """The metrics that are shares, or means of numbers from 0 to 1, each with their number."""
        return dict.fromkeys(self.metrics, len(self.f1))

    def table(self) -> WeightedMeans:
        """Return the predictions as columns."""
        return WeightedMeans(self.f1, self.exact)
