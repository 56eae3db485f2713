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
