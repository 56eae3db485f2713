"""What an encoder says of each text, on disk: written once, memory-mapped after."""

import pathlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ftkeras.data.examples import Examples


@dataclass(frozen=True)
class Vectors:
    """A vector of each of some texts of a store.

    Attributes:
        values: float32 [some, size].
        places: int64 [texts], which of `values` is of which text.
    """

    values: np.ndarray
    places: np.ndarray

    def at(self, rows: np.ndarray, there: np.ndarray) -> np.ndarray:
        """The vectors of these texts, float32 [texts, size]; zeros where none is `there`."""
        return np.where(there[:, None], self.values[self.places[rows]], np.float32(0))


def distinct(examples: Examples) -> Examples:
    """The view of the same texts, each of them once."""
    return replace(examples, rows=np.unique(examples.rows))


def with_vectors(examples: Examples, read: Callable, folder: pathlib.Path) -> Examples:
    """The examples with their texts' vectors, for as long as this process has them.

    Args:
        examples: may hold a text several times; it is read once.
        read: a view of each text once -> an iterator of its positions and their vectors, [n] and
            float32 [n, size], all together each position once.
        folder: an existing folder.
    """
    once, end = distinct(examples), 0
    places = np.zeros(len(examples.labels), np.int64)
    path = folder / f"{examples.name}.vectors"
    with path.open("wb") as file:
        for positions, vectors in read(once):
            # Not by the map: on a full disk that would kill the process without a word.
            file.write(np.ascontiguousarray(vectors, np.float32))
            places[once.rows[positions]] = np.arange(end, end + len(positions))
            end += len(positions)
    values = np.memmap(path, np.float32, mode="r").reshape(end, -1)
    path.unlink()  # the map holds the file
    return replace(examples, vectors=Vectors(values, places))
