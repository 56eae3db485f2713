"""The rows that a model reads of examples that are several: windows, options, or texts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Windows:
    """The windows of the texts of a token store, those of each text one after the other.

    Attributes:
        offsets: int64 [windows + 1], where each window starts in the token ids.
        second_starts: int32 [windows], where the second segment of each starts in it.
        first_pieces: int32 [windows], how many pieces of the text are before each.
        firsts: int64 [texts + 1], the number of each text's first window.
        targets: what the model is to answer in each window, [windows, …]; None if that is the
            answer to the whole text, or not known yet.
        combine: outputs for windows [windows, …] and their number in each text -> outputs for
            texts [texts, …]; None if the problem reads the windows itself.
    """

    offsets: np.ndarray
    second_starts: np.ndarray
    first_pieces: np.ndarray
    firsts: np.ndarray
    targets: np.ndarray | None = None
    combine: Callable[[Any, Any], Any] | None = None

    @property
    def counts(self) -> np.ndarray:
        """The number of windows of each text, int64 [texts]."""
        return np.diff(self.firsts)

    @property
    def texts(self) -> np.ndarray:
        """The text that each window is of, int64 [windows]."""
        return np.repeat(np.arange(len(self.firsts) - 1), self.counts)

    def numbers(self, texts: np.ndarray) -> np.ndarray:
        """Return the numbers of the windows of some texts, int64 [windows of these].

        >>> nothing = np.zeros(3, int)
        >>> Windows(nothing, nothing, nothing, np.array([0, 2, 3])).numbers(np.array([1, 0]))
        array([2, 0, 1])
        """
        counts = self.counts[texts]
        before = np.cumsum(counts) - counts
        return np.repeat(self.firsts[texts] - before, counts) + np.arange(counts.sum())


@dataclass(frozen=True)
class ExampleRows:
    """The rows of a token store's examples, all rows of an example in one batch.

    They are the options of a question, or the two texts of a pair.

    Attributes:
        offsets: int64 [examples * each + 1], where each row starts in the token ids.
        second_starts: int32 [examples * each], where the second segment of each row starts in it.
        each: the rows of an example; those of options that it lacks are empty.
    """

    offsets: np.ndarray
    second_starts: np.ndarray
    each: int

    def counts(self) -> np.ndarray:
        """Return the number of rows of each example that are not empty, int64 [examples]."""
        return np.count_nonzero(np.diff(self.offsets).reshape(-1, self.each), axis=1)

    def longest(self) -> np.ndarray:
        """Return the length of the longest row of each example, int64 [examples]."""
        return np.diff(self.offsets).reshape(-1, self.each).max(axis=1)

    def numbers(self, examples: np.ndarray) -> np.ndarray:
        """Return the numbers of the rows of some examples; those of numbers below 0 are -1.

        >>> ExampleRows(np.arange(7), np.zeros(6, int), 2).numbers(np.array([2, -1, 0]))
        array([ 4,  5, -1, -1,  0,  1])
        """
        rows = examples[:, None] * self.each + np.arange(self.each)
        return np.where(examples[:, None] >= 0, rows, -1).reshape(-1)
