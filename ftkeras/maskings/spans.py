"""Mask spans of words that follow each other."""

import numpy as np

from ftkeras.maskings._base import Masking, words_of
from ftkeras.support import bounds


class Spans(Masking):
    """Choose spans of whole words. All tokens of a span are replaced in the same way.

    length = min(n, longest),    P(n) = p (1 - p)^(n - 1),    p = 1 / mean

    The length is in words, so its mean is (1 - (1 - p)^longest) / p. A span starts at a random
    word. It ends early at the end of the text, at the start of another span, or when enough tokens
    are chosen.

    Source: Joshi et al., 2020, SpanBERT, section 3.1, https://arxiv.org/abs/1907.10529, where p is
    0.2 and `longest` is 10.

    Args:
        rate: share of the tokens to choose; in (0, 1).
        mean: mean length of a span in words, before the limit `longest`; at least 1.
        longest: maximum number of words in a span; at least 1.
        mask: share of the spans that are replaced by mask tokens.
        random: share of the spans that are replaced by random tokens; the rest is kept.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> Spans(rate=0.3)(np.ones(10, bool), np.random.default_rng(0)).places.tolist()
    [4, 5, 6]
    """

    def __init__(
        self,
        *,
        rate: float = 0.15,
        mean: float = 3.0,
        longest: int = 10,
        mask: float = 0.8,
        random: float = 0.1,
    ):
        super().__init__(rate=rate, mask=mask, random=random)
        bounds.integer(1, longest=longest)
        bounds.not_negative(mean=mean)
        if mean < 1:
            raise ValueError(f"`mean` must be at least 1. Received: {mean}.")
        self.mean, self.longest = mean, longest

    def choose(
        self, starts: np.ndarray, count: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        words, spans = words_of(starts), []
        is_taken = np.zeros(len(words), bool)
        lengths = np.minimum(rng.geometric(1 / self.mean, size=len(words)), self.longest)
        for first, length in zip(rng.permutation(len(words)), lengths, strict=True):
            span = []
            for number in range(first, min(first + length, len(words))):
                if is_taken[number] or len(words[number]) > count:
                    break
                is_taken[number] = True
                count -= len(words[number])
                span.append(words[number])
            if span:
                spans.append(np.concatenate(span))
            if not count:
                break
        groups = np.repeat(np.arange(len(spans)), list(map(len, spans)))
        return np.concatenate([np.zeros(0, int), *spans]), groups

    def get_config(self) -> dict[str, float]:
        return {**super().get_config(), "mean": self.mean, "longest": self.longest}
