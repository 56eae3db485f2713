import numpy as np

from ftkeras.data.batching import _rows


class Bucketed:
    """Batches of texts of like length, so that little is padding.

    Lengths are rounded up to a multiple, which gives few sizes. An epoch lines the examples up by
    size, those of one size in random order, and cuts the line into batches; the batches come in
    random order. So a batch is a random draw from the texts of about one length, and which texts
    meet changes from epoch to epoch; texts of unlike length seldom meet. How many batches there
    are depends on the lengths alone, so it is the same in every epoch.

    Args:
        batch_size: examples a batch; positive. The batch of the shortest holds what is left.
        batch_tokens: tokens a batch at most, padding counted; where both are given, both hold, and
            where neither would let a part have a row, it has one.
        pad_id: the id of [PAD].
        max_length: most tokens of a text.
        parts: into how many a batch is split, one a replica and micro-batch; positive.
        multiple: of tokens that a batch is long; positive. A smaller one saves padding, a larger
            one mixes better and gives fewer shapes.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    fixed_shape = False

    def __init__(
        self,
        *,
        batch_size: int | None,
        pad_id: int,
        max_length: int,
        batch_tokens: int | None = None,
        parts: int = 1,
        multiple: int = 16,
    ):
        sizes = {"batch_size": batch_size, "batch_tokens": batch_tokens}
        _rows.check_sizes(**sizes, parts=parts, max_length=max_length, multiple=multiple)
        self.batch_size, self.batch_tokens, self.parts = batch_size, batch_tokens, parts
        self.pad_id, self.max_length, self.multiple = pad_id, max_length, multiple

    def plan(self, lengths: np.ndarray, order: np.ndarray) -> list[list[np.ndarray]]:
        """The positions of each part of each batch; `order` is a permutation.

        >>> two = Bucketed(batch_size=2, pad_id=0, max_length=64)
        >>> two.plan(np.array([9, 50, 60, 8]), np.array([1, 3, 0, 2]))
        [[array([1, 2])], [array([3, 0])]]
        """
        sizes = _rows.rounded(lengths, self.multiple, self.max_length)
        line = order[np.argsort(-sizes[order], kind="stable")]
        batches = np.split(line, self._cuts(sizes[line]))
        # The places of the first few of a random order, sorted, are a random order of that few.
        shuffled = np.argsort(order[: len(batches)])
        return [np.array_split(batches[number], self.parts) for number in shuffled]

    def collate(self, examples, positions: np.ndarray) -> dict[str, np.ndarray]:
        """`token_ids` and, for pairs, `segment_ids`, int32 [batch, length]."""
        longest = max(1, _rows.lengths_at(examples, positions).max())
        size = _rows.rounded(longest, self.multiple, self.max_length)
        return _rows.padded(examples, positions, size, pad_id=self.pad_id)

    def _cuts(self, sizes: np.ndarray) -> list[int]:
        """Where batches begin in the line, the first one aside."""
        cuts, start = [], 0
        while (start := start + self._fitting(sizes[start])) < len(sizes):
            cuts.append(start)
        return cuts

    def _fitting(self, size: int) -> int:
        """Examples a batch, where the longest is of this size."""
        if self.batch_tokens is None:
            return self.batch_size
        rows = max(1, self.batch_tokens // (self.parts * size)) * self.parts
        return rows if self.batch_size is None else min(rows, self.batch_size)
