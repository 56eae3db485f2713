"""Predicted entities as columns from which the bootstrap computes its metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ftkeras.statistics.bootstrap import Tested


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
    def compare(cls, truth: Sequence[set[Any]], found: Sequence[set[Any]]) -> "EntityPredictions":
        """Return the counts of true and found entities."""
        pairs = list(zip(truth, found, strict=True))
        counts = np.array([[len(t), len(f), len(t & f)] for t, f in pairs], np.int64)
        return cls(counts.reshape(-1, 3), np.array([t == f for t, f in pairs], bool))

    @property
    def truth(self) -> np.ndarray:
        """The number of entities of each text."""
        return self.counts[:, 0]

    @property
    def scores(self) -> np.ndarray:
        """Whether all entities of a text are right."""
        return self.is_exact

    @property
    def compared(self) -> np.ndarray:
        """The number of entities that were found in each text."""
        return self.counts[:, 1]

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
        truth, found, right, exact = (weights @ self._columns).T
        shares = (right / np.maximum(number, 1) for number in (found, truth))
        return np.stack([f1_of(right, found, truth), *shares, exact / weights.sum(axis=1)], axis=1)


def f1_of(right: Any, found: Any, truth: Any) -> Any:
    """Return the F1 of numbers of entities, 0 if it is undefined.

    >>> float(f1_of(1, 2, 4))
    0.3333333333333333
    """
    return 2 * right / np.maximum(found + truth, 1)
