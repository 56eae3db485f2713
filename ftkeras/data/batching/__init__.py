"""Batching: how examples are grouped into batches, one way per file.

A part is built from `batch_size`, what else the run knows (`pad_id`, `max_length`, `parts`, …) and
the keys of its own spec.
"""

from typing import Protocol

import numpy as np

from ftkeras.data.examples import Examples


class Batching(Protocol):
    """The interface of a batching.

    Attributes:
        parts: the number of parts that a batch is split into, one for each replica and micro-batch.
        fixed_shape: whether all batches have the same shape.
        choice: what the batching chose by itself and why, to be logged; None if it chose nothing.
    """

    parts: int
    fixed_shape: bool
    choice: str | None

    def plan(self, lengths: np.ndarray, order: np.ndarray) -> list[list[np.ndarray]]:
        """Return the positions of the examples in each part of each batch of an epoch.

        Args:
            lengths: integer [examples], the tokens of each example.
            order: a permutation of the examples' positions. It is the only source of randomness.

        Returns:
            One list per batch with one array per part: integer [rows] or, if a row holds several
            texts, [rows, texts]. A position below 0 marks an empty place.
        """
        ...

    def collate(self, examples: Examples, positions: np.ndarray) -> dict[str, np.ndarray]:
        """Return the input arrays of one part, or of several parts of the same shape.

        Args:
            examples: the view that the positions refer to.
            positions: as `plan` returns them for a part; parts concatenated along the rows.

        Returns:
            `token_ids` and, for pairs, `segment_ids`, int32 [rows, length], and whatever else the
            encoder needs to read the rows.
        """
        ...
