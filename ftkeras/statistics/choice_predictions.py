"""Chosen options as columns from which the bootstrap computes its metrics."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ftkeras.statistics.bootstrap import Tested
from ftkeras.statistics.ratios import WeightedMeans, log_loss


@dataclass(frozen=True)
class ChoicePredictions:
    """One run's chosen options; fulfils `bootstrap.Predictions`.

    Attributes:
        answers: the number of each question's right option, integer [examples].
        predicted: that of the chosen one, integer [examples].
        compared: the probability of the right one, float [examples].
    """

    answers: np.ndarray
    predicted: np.ndarray
    compared: np.ndarray

    metrics: ClassVar = ("accuracy", "log_loss")
    tested: ClassVar = Tested(
        name="accuracy",
        plural="accuracies",
        better="is more accurate",
        factor=100,
        unit=" points",
        decimals=1,
        compared="probability_of_answer",
        compared_title="probability of the right option",
    )

    @property
    def truth(self) -> np.ndarray:
        """The number of each question's right option."""
        return self.answers

    @property
    def scores(self) -> np.ndarray:
        """True for each right choice; their mean is the accuracy."""
        return self.predicted == self.answers

    @property
    def shares(self) -> dict[str, int]:
        """The metrics that are shares, or means of numbers from 0 to 1, each with their number."""
        return {"accuracy": len(self.answers)}

    def table(self) -> WeightedMeans:
        """Return the predictions as columns."""
        return WeightedMeans(self.scores, log_loss(self.compared))
