import numpy as np

from ftkeras.data.batching import _rows


class Padded:
    """Batches in the given order, each padded to its longest text.

    Args:
        batch_size: examples a batch; positive. The last batch holds what is left.
        pad_id: the id of [PAD].
        batch_tokens: must be None: how many batches that makes would hang on their order.
        parts: into how many a batch is split, one a replica and micro-batch; positive.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    fixed_shape = False

    def __init__(
        self, *, batch_size: int, pad_id: int, batch_tokens: int | None = None, parts: int = 1
    ):
        if batch_tokens is not None:
            raise ValueError(
                f"padded takes no `batch_tokens`; bucketed and packed do. Received: {batch_tokens}."
            )
        _rows.check_sizes(batch_size=batch_size, parts=parts)
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
        longest = max(1, _rows.lengths_at(examples, positions).max())
        return _rows.padded(examples, positions, longest, pad_id=self.pad_id)
