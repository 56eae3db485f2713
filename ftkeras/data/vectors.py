"""The encoder's output for each text, computed once and memory-mapped from disk."""

import pathlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ftkeras.data.examples import Examples


@dataclass(frozen=True)
class Vectors:
    """One vector for each of some texts of a token store.

    Attributes:
        values: float32 [vectors, size].
        index: int64 [texts], the row of `values` that belongs to each stored text, or window.
    """

    values: np.ndarray
    index: np.ndarray

    def at(self, rows: np.ndarray, is_example: np.ndarray) -> np.ndarray:
        """Return the vectors of stored texts.

        Args:
            rows: integer [n], the stored texts.
            is_example: bool [n], False for padding.

        Returns:
            float32 [n, size], zeros for padding.
        """
        return np.where(is_example[:, None], self.values[self.index[rows]], np.float32(0))


def distinct(examples: "Examples") -> "Examples":
    """Return a view of the same texts, or of their windows, that holds each of them once."""
    rows = examples.by_row()
    return replace(rows, rows=np.unique(rows.rows))


def add_vectors(
    examples: "Examples",
    encode: Callable[["Examples"], Iterator[tuple[np.ndarray, np.ndarray]]],
    folder: pathlib.Path,
) -> "Examples":
    """Encode each text once and return the examples with the vectors.

    The vectors are in a file that is deleted when the process ends, however it ends.

    Args:
        examples: may hold a text several times; it is encoded once.
        encode: takes a view in which each text occurs once. Yields positions, integer [n], and the
            vectors of these examples, float32 [n, size], until each position was yielded once.
        folder: an existing folder for the file.
    """
    once, count = distinct(examples), 0
    index = np.zeros(len(once.stored_targets), np.int64)
    path = folder / f"{examples.name}.vectors"
    with path.open("wb") as file:
        for positions, vectors in encode(once):
            # Written, not assigned to a map: on a full disk a map kills the process silently.
            file.write(np.ascontiguousarray(vectors, np.float32).data)
            index[once.rows[positions]] = np.arange(count, count + len(positions))
            count += len(positions)
    values = np.memmap(path, np.float32, mode="r").reshape(count, -1)
    path.unlink()  # the map keeps the data until the process ends
    return replace(examples, vectors=Vectors(values, index))
