"""Batches in the given order."""

import numpy as np

from ftkeras.data.batching import _rows
from ftkeras.data.examples import Examples


class Padded:
    """Cut the examples into batches in the given order and pad each to its longest text.

    Args:
        batch_size: examples per batch; positive. The last batch holds the rest.
        pad_id: the id of [PAD].
        batch_tokens: must be None, because the number of batches would depend on their order.
        parts: the number of parts that a batch is split into, one for each replica and
            micro-batch; positive.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
    """

    fixed_shape = False
    choice: str | None = None

    def __init__(
        self, *, batch_size: int, pad_id: int, batch_tokens: int | None = None, parts: int = 1
    ):
        if batch_tokens is not None:
            raise ValueError(
                "padded does not support `batch_tokens`; use bucketed or packed. "
                f"Received: {batch_tokens}."
            )
        _rows.check_sizes(batch_size=batch_size, parts=parts)
        self.batch_size, self.pad_id, self.parts = batch_size, pad_id, parts

    def plan(self, lengths: np.ndarray, order: np.ndarray) -> list[list[np.ndarray]]:
        """Return the positions of each part of each batch.

        >>> Padded(batch_size=2, pad_id=0).plan(np.array([5, 9, 7]), np.array([2, 0, 1]))
        [[array([2, 0])], [array([1])]]
        """
        return [
            np.array_split(order[start : start + self.batch_size], self.parts)
            for start in range(0, len(order), self.batch_size)
        ]

    def collate(self, examples: Examples, positions: np.ndarray) -> dict[str, np.ndarray]:
        """Return `token_ids` and, for pairs, `segment_ids`, int32 [batch, length]."""
        longest = max(1, _rows.lengths_at(examples, positions).max())
        return _rows.pad_rows(examples, positions, longest, pad_id=self.pad_id)
