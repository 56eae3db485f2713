"""Batches of texts of similar length."""

import numpy as np

from ftkeras.data.batching import _rows
from ftkeras.data.examples import Examples


class Bucketed:
    """Put texts of similar length into the same batch, so that there is little padding.

    Lengths are rounded up to a multiple of `multiple`. In each epoch the examples are sorted by
    rounded length, with those of equal length in random order, and cut into batches. The batches
    are then shuffled. So a batch is a random sample of texts of about the same length, which
    changes from epoch to epoch. The number of batches depends only on the lengths, so it is the
    same in every epoch.

    Args:
        batch_size: examples per batch; positive. The batch of the shortest texts holds the rest.
        batch_tokens: the maximum number of tokens per batch, including padding. If both sizes are
            given, both limits apply. A part gets one row even if that exceeds the limit.
        pad_id: the id of [PAD].
        max_length: the maximum number of tokens per text.
        parts: the number of parts that a batch is split into, one for each replica and
            micro-batch; positive.
        multiple: the length of a batch is a multiple of this many tokens; positive. A smaller
            value saves padding; a larger one mixes better and gives fewer shapes.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
    """

    fixed_shape = False
    choice: str | None = None

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
        """Return the positions of each part of each batch.

        >>> two = Bucketed(batch_size=2, pad_id=0, max_length=64)
        >>> two.plan(np.array([9, 50, 60, 8]), np.array([1, 3, 0, 2]))
        [[array([1, 2])], [array([3, 0])]]
        """
        sizes = _rows.round_up(lengths, self.multiple, self.max_length)
        longest_first = order[np.argsort(-sizes[order], kind="stable")]
        batches = np.split(longest_first, self._cuts(sizes[longest_first]))
        # The ranks of the first n entries of a random permutation are a random permutation of n.
        shuffled = np.argsort(order[: len(batches)])
        return [np.array_split(batches[number], self.parts) for number in shuffled]

    def collate(self, examples: Examples, positions: np.ndarray) -> dict[str, np.ndarray]:
        """Return `token_ids` and, for pairs, `segment_ids`, int32 [batch, length]."""
        longest = max(1, _rows.lengths_at(examples, positions).max())
        size = int(_rows.round_up(longest, self.multiple, self.max_length))
        return _rows.pad_rows(examples, positions, size, pad_id=self.pad_id)

    def _cuts(self, sizes: np.ndarray) -> list[int]:
        """Return the start of each batch but the first, given the sizes in descending order."""
        cuts, start = [], 0
        while (start := start + self._capacity(sizes[start])) < len(sizes):
            cuts.append(start)
        return cuts

    def _capacity(self, size: int) -> int:
        """Return the number of examples in a batch whose longest example has this size."""
        if self.batch_tokens is None:
            assert self.batch_size is not None, "Config has one of the two sizes"
            return self.batch_size
        rows = max(1, self.batch_tokens // (self.parts * size)) * self.parts
        return rows if self.batch_size is None else min(rows, self.batch_size)
