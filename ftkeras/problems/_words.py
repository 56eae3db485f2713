"""Outputs of a model for the words of texts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ftkeras.support.ragged import Ragged


@dataclass(frozen=True)
class WordOutputs:
    """A model's outputs for the words of each text; those that were cut off are missing.

    Attributes:
        logits: float32 [words, outputs], of all texts one after the other.
        spans: where each word starts and ends in its text, int32 [texts, (words), 2].
    """

    logits: np.ndarray
    spans: Ragged

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the spans [words, 2] and logits [words, outputs] of each text."""
        return zip(self.spans, Ragged.from_lengths(self.logits, self.spans.lengths), strict=True)

    def padded(self, answers: np.ndarray, texts: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield answers and logits, [texts, words] and [texts, words, outputs].

        Args:
            answers: to the words, integer [words].
            texts: how many to yield at once. Behind their words, the answers are -1.
        """
        lengths = self.spans.lengths
        ends = np.cumsum(lengths)
        for first in range(0, len(lengths), texts):
            part = lengths[first : first + texts]
            words = slice(ends[first] - lengths[first], ends[first + len(part) - 1])
            is_word = np.arange(max(1, part.max())) < part[:, None]
            targets = np.full(is_word.shape, -1, np.int64)
            logits = np.zeros((*is_word.shape, self.logits.shape[1]), np.float32)
            targets[is_word], logits[is_word] = answers[words], self.logits[words]
            yield targets, logits
