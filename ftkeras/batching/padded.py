import numpy as np

from ftkeras.batching import _rows


class Padded:
    """Batches in the given order, each padded to its longest text.

    Args:
        batch_size: examples a batch; positive. The last batch holds what is left.
        pad_id: the id of [PAD].
        parts: into how many a batch is split, one a replica and micro-batch; positive.
    """

    def __init__(self, *, batch_size: int, pad_id: int, parts: int = 1):
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be at least 1. Received: {batch_size}.")
        self.batch_size, self.pad_id, self.parts = batch_size, pad_id, parts

    def plan(self, lengths: np.ndarray, order: np.ndarray) -> list[list[np.ndarray]]:
        """The positions of each part of each batch.

        >>> Padded(batch_size=2, pad_id=0).plan(np.array([5, 9, 7]), np.array([2, 0, 1]))
        [[array([2, 0])], [array([1])]]
        """
        return [
            np.array_split(order[start : start + self.batch_size], self.parts)
            for start in range(0, len(order), self.batch_size)
        ]

    def collate(self, examples, positions: np.ndarray) -> dict[str, np.ndarray]:
        """`token_ids` and, for pairs, `segment_ids`, int32 [batch, length]."""
        return _rows.padded(examples, positions, pad_id=self.pad_id)
