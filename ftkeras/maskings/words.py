"""Mask whole words."""

import numpy as np

from ftkeras.maskings._base import Masking, words_of


class Words(Masking):
    """Choose whole words, so that no token is predicted from other pieces of its word.

    Words are taken in random order. A word is skipped if it has more tokens than are still to be
    chosen, so a text without a short enough word has none. Each token is replaced on its own.

    Source: the models "Whole Word Masking" of https://github.com/google-research/bert.

    Args:
        rate: share of the tokens to choose; in (0, 1).
        mask: share of the chosen tokens that are replaced by the mask token.
        random: share of them that are replaced by a random token; the rest is kept.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> starts = np.array([True, False, False, True, True, False])
    >>> Words(rate=0.5)(starts, np.random.default_rng(0)).places.tolist()
    [3, 4, 5]
    """

    def __init__(self, *, rate: float = 0.15, mask: float = 0.8, random: float = 0.1):
        super().__init__(rate=rate, mask=mask, random=random)

    def choose(
        self, starts: np.ndarray, count: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        words, chosen = words_of(starts), []
        for number in rng.permutation(len(words)):
            if count and len(words[number]) <= count:
                chosen.append(words[number])
                count -= len(words[number])
        places = np.concatenate([np.zeros(0, int), *chosen])
        return places, np.arange(len(places))
