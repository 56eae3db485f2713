"""Rows of different lengths in one array."""

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np


class Ragged(Sequence[np.ndarray]):
    """Rows of different lengths, in one array that may be memory-mapped.

    Args:
        values: the rows one after the other, [total, …].
        starts: where each row starts in `values`, integer [rows].
        ends: where it ends.

    >>> rows = Ragged.from_lengths(np.arange(5), np.array([2, 0, 3]))
    >>> rows[2], len(rows[np.array([2, 0])])
    (array([2, 3, 4]), 2)
    """

    def __init__(self, values: np.ndarray, starts: np.ndarray, ends: np.ndarray):
        self.values, self.starts, self.ends = values, starts, ends

    @classmethod
    def from_lengths(cls, values: np.ndarray, lengths: np.ndarray) -> "Ragged":
        """Return the rows of these lengths, one after the other."""
        ends = np.cumsum(lengths)
        return cls(values, ends - lengths, ends)

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, key: int) -> np.ndarray: ...

    @overload
    def __getitem__(self, key: slice | np.ndarray) -> "Ragged": ...

    def __getitem__(self, key):
        """Return a row; or, for what NumPy accepts as an index of several rows, a view of these."""
        starts, ends = self.starts[key], self.ends[key]
        if isinstance(starts, np.ndarray):
            return Ragged(self.values, starts, ends)
        return self.values[starts:ends]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self.values[s:e] for s, e in zip(self.starts, self.ends, strict=True))

    @property
    def lengths(self) -> np.ndarray:
        """The length of each row, integer [rows]."""
        return self.ends - self.starts

    def flat(self) -> np.ndarray:
        """Return the rows of this view one after the other, [total, …]."""
        return np.concatenate([self.values[:0], *self])

    def numbered(self) -> np.ndarray:
        """Return an integer for each row, [rows]; equal rows have equal ones."""
        rows = np.array([row.tobytes() for row in self], dtype=object)
        return np.unique(rows, return_inverse=True)[1]

    def tobytes(self) -> bytes:
        """Return lengths and values as bytes, by which views can be compared."""
        return self.lengths.astype("<i8").tobytes() + self.flat().tobytes()
