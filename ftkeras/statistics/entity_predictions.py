"""Predicted entities as columns from which the bootstrap computes its metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ftkeras.statistics.bootstrap import Tested
from ftkeras.statistics.ratios import f1, ratio


@dataclass(frozen=True)
class EntityPredictions:
    """One run's entities; fulfils `bootstrap.Predictions`.

    Attributes:
        counts: how many entities each text has, how many were found, and how many of these are
            right, integer [examples, 3].
        is_exact: whether all entities of a text are right, bool [examples].
    """

    counts: np.ndarray
    is_exact: np.ndarray

    metrics: ClassVar = ("f1", "precision", "recall", "exact_match")
    tested: ClassVar = Tested(
        name="exact_match",
        plural="exact_matches",
        better="finds exactly the entities of more texts",
        factor=100.0,
        unit=" points",
        decimals=2,
        compared="found",
        compared_title="number of entities found",
    )

    @classmethod
    def compare(
        cls, truth: Sequence[set[Any]], predicted: Sequence[set[Any]]
    ) -> "EntityPredictions":
        """Return the counts of true and found entities."""
        pairs = list(zip(truth, predicted, strict=True))
        counts = np.array([[len(t), len(f), len(t & f)] for t, f in pairs], np.int64)
        return cls(counts.reshape(-1, 3), np.array([t == f for t, f in pairs], bool))

    @property
    def truth(self) -> np.ndarray:
        """The number of entities of each text."""
        return self.counts[:, 0]

    @property
    def scores(self) -> np.ndarray:
        """True for each text whose entities are all right."""
        return self.is_exact

    @property
    def compared(self) -> np.ndarray:
        """The number of entities that were found in each text."""
        return self.counts[:, 1]

    def measure(self) -> dict[str, float]:
        """Return the metrics of all examples, by name; 0 for what is undefined.

        >>> EntityPredictions.compare([{1, 2}, {3}], [{1}, {3}]).measure()
        {'f1': 0.8, 'precision': 1.0, 'recall': 0.6666666666666666, 'exact_match': 0.5}
        """
        values = self.table().metrics(np.ones((1, len(self.counts))))[0].tolist()
        return dict(zip(self.metrics, values, strict=True))

    @property
    def shares(self) -> dict[str, int]:
        """The metrics that are shares, or means of numbers from 0 to 1, each with their number."""
        truth, predicted, _ = self.counts.sum(axis=0).tolist()
        return {"precision": predicted, "recall": truth, "exact_match": len(self.counts)}

    def table(self) -> "_Table":
        """Return the predictions as columns."""
        return _Table(self)


class _Table:
    """Columns whose weighted sums give the metrics."""

    def __init__(self, run: EntityPredictions):
        self._columns = np.column_stack([run.counts, run.is_exact]).astype(float)

    def metrics(self, weights: np.ndarray) -> np.ndarray:
        """Return `EntityPredictions.metrics` for each row of weights, [rows, metrics]."""
        weights = weights.astype(float)
        truth, predicted, right, exact = (weights @ self._columns).T
        shares = ratio(right, predicted), ratio(right, truth), exact / weights.sum(axis=1)
        return np.stack([f1(right, predicted, truth), *shares], axis=1)
