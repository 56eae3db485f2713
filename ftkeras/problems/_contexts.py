"""Outputs of a model for the tokens of contexts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Window:
    """One row that a model has read: a question with a part of its context.

    Attributes:
        logits: float32 [length, outputs].
        starts, ends: where its tokens are in the context, in characters; below 0 of other tokens.
        first_piece: how many tokens of the context are before it.
    """

    logits: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    first_piece: int


@dataclass(frozen=True)
class ContextOutputs:
    """A model's outputs for the tokens of questions with contexts, which may be cut into windows.

    Attributes:
        logits: float32 [tokens, outputs], of all windows of all examples one after the other.
        starts, ends: int32 [tokens], where tokens are in the context, in characters; below 0 of
            other tokens.
        lengths: the tokens of each window, integer [windows].
        first_pieces: how many tokens of the context are before each window, int32 [windows].
        counts: the windows of each example, integer [examples].
    """

    logits: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    lengths: np.ndarray
    first_pieces: np.ndarray
    counts: np.ndarray

    def __len__(self) -> int:
        return len(self.counts)

    def probabilities(self) -> np.ndarray:
        """Return the softmax of the logits over the tokens of each window, of the same shape."""
        firsts = np.cumsum(self.lengths) - self.lengths
        largest = np.maximum.reduceat(self.logits, firsts)
        powers = np.exp(self.logits - np.repeat(largest, self.lengths, axis=0))
        return powers / np.repeat(np.add.reduceat(powers, firsts), self.lengths, axis=0)

    def __iter__(self) -> Iterator[list[Window]]:
        """Yield the windows of each example."""
        stops = np.cumsum(self.lengths)
        bounds = zip((stops - self.lengths).tolist(), stops.tolist(), strict=True)
        windows = (
            Window(self.logits[a:b], self.starts[a:b], self.ends[a:b], first)
            for (a, b), first in zip(bounds, self.first_pieces.tolist(), strict=True)
        )
        for count in self.counts.tolist():
            yield [next(windows) for _ in range(count)]
