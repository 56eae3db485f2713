"""Predicted tokens as columns from which the bootstrap computes its metrics."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ftkeras.statistics.bootstrap import Tested


@dataclass(frozen=True)
class TokenPredictions:
    """Counts and losses of each text's masked tokens; fulfils `bootstrap.Predictions`.

    Attributes:
        masked: the number of masked tokens, integer [examples].
        found: how many of them were predicted, integer [examples].
        losses: the sum of their losses, float [examples].
    """

    masked: np.ndarray
    found: np.ndarray
    losses: np.ndarray

    metrics: ClassVar = ("text_loss", "loss", "accuracy", "perplexity")
    tested: ClassVar = Tested(
        name="text_loss",
        plural="mean_losses_of_texts",
        better="has a lower loss",
        lower_is_better=True,
        compared="loss",
        compared_title="mean loss of a text's masked tokens",
    )

    @property
    def truth(self) -> np.ndarray:
        """The number of masked tokens, which runs with the same masks share."""
        return self.masked

    @property
    def scores(self) -> np.ndarray:
        """The mean loss of each text's masked tokens."""
        return self.losses / np.maximum(self.masked, 1)

    @property
    def compared(self) -> np.ndarray:
        """The mean loss of each text's masked tokens, as `scores`."""
        return self.scores

    @property
    def shares(self) -> dict[str, int]:
        """The metrics that are shares, or means of numbers from 0 to 1, each with their number."""
        return {"accuracy": int(self.masked.sum())}

    def table(self) -> "_Table":
        """Return the predictions as columns."""
        return _Table(self)


class _Table:
    """Columns whose weighted sums give the metrics."""

    def __init__(self, run: TokenPredictions):
        self._columns = np.column_stack([run.scores, run.losses, run.found, run.masked])

    def metrics(self, weights: np.ndarray) -> np.ndarray:
        """Return `TokenPredictions.metrics` for each row of weights, [rows, metrics]."""
        weights = weights.astype(float)
        scores, losses, found, masked = (weights @ self._columns).T
        masked = np.maximum(masked, 1)
        loss = losses / masked
        return np.column_stack(
            [scores / weights.sum(axis=1), loss, found / masked, np.exp(np.minimum(loss, 700))]
        )
