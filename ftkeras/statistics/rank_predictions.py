"""Ranks of right answers as columns from which the bootstrap computes its metrics."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ftkeras.statistics.bootstrap import Tested
from ftkeras.statistics.ratios import WeightedMeans

# The numbers of answers among which the right one is looked for.
CUTS = (1, 5, 10)


@dataclass(frozen=True)
class RankPredictions:
    """The rank of each example's right answer; fulfils `bootstrap.Predictions`.

    Attributes:
        ranks: from 1, integer [examples].
        compared: the score of the right answer, float [examples].
    """

    ranks: np.ndarray
    compared: np.ndarray

    metrics: ClassVar = ("mrr", *(f"recall_at_{cut}" for cut in CUTS))
    tested: ClassVar = Tested(
        name="mrr",
        plural="mean_reciprocal_ranks",
        better="ranks the right answers higher",
        compared="score_of_answer",
        compared_title="score of the right answer",
    )

    @property
    def truth(self) -> np.ndarray:
        """The right answer is the only one of its kind for each example: zeros."""
        return np.zeros(len(self.ranks), int)

    @property
    def scores(self) -> np.ndarray:
        """The reciprocal rank of each example."""
        return 1 / self.ranks

    @property
    def shares(self) -> dict[str, int]:
        """The metrics that are shares, or means of numbers from 0 to 1, each with their number."""
        return dict.fromkeys(self.metrics, len(self.ranks))

    def table(self) -> WeightedMeans:
        """Return the predictions as columns."""
        is_within = self.ranks[:, None] <= np.array(CUTS)
        return WeightedMeans(self.scores, is_within)
