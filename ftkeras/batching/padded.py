import numpy as np


class Padded:
    """Batches in the given order, each padded to its longest text.

    Args:
        batch_size: examples a batch; positive. The last batch holds what is left.
        pad_id: the id of [PAD].
    """

    def __init__(self, *, batch_size: int, pad_id: int):
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be at least 1. Received: {batch_size}.")
        self.batch_size, self.pad_id = batch_size, pad_id

    def plan(self, lengths: np.ndarray, order: np.ndarray) -> list[np.ndarray]:
        """The positions of each batch.

        >>> Padded(batch_size=2, pad_id=0).plan(np.array([5, 9, 7]), np.array([2, 0, 1]))
        [array([2, 0]), array([1])]
        """
        return [
            order[start : start + self.batch_size]
            for start in range(0, len(order), self.batch_size)
        ]

    def collate(self, examples, positions: np.ndarray) -> dict[str, np.ndarray]:
        """One batch: `token_ids` and, for pairs, `segment_ids`, int32 [batch, length]."""
        texts = [examples.ids(position) for position in positions]
        longest = max(len(text) for text in texts)
        token_ids = np.full((len(texts), longest), self.pad_id, np.int32)
        for row, text in zip(token_ids, texts, strict=True):
            row[: len(text)] = text
        if not examples.pairs:
            return {"token_ids": token_ids}
        seconds = examples.seconds[examples.rows[positions]]
        segment_ids = (np.arange(longest) >= seconds[:, None]) & (token_ids != self.pad_id)
        return {"token_ids": token_ids, "segment_ids": segment_ids.astype(np.int32)}
