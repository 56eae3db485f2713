"""The interface of maskings, and what replaces the tokens that they choose."""

import math
from typing import Any, NamedTuple

import numpy as np

from ftkeras.support import bounds

# The fates of a chosen token.
MASKED, RANDOM, KEPT = 0, 1, 2


class Chosen(NamedTuple):
    """The tokens of a text that a model has to predict.

    Attributes:
        places: their places in the text, ascending, integer [chosen].
        becomes: MASKED, RANDOM or KEPT for each of them, integer [chosen].
    """

    places: np.ndarray
    becomes: np.ndarray


class Masking:
    """The base of maskings: how many tokens are chosen, and what replaces them.

    Of n tokens, max(1, round(rate n)) are chosen at most, so a batch of a fixed shape has a fixed
    number of slots for them. A word that is longer than what is left of them is not chosen. So of a
    short text of long words, maskings of whole words may choose no token.

    Args:
        rate: share of the tokens to choose; in (0, 1).
        mask: share of the chosen tokens that the mask token replaces.
        random: share of them that a random token replaces. The rest stays as it is; so `mask` and
            `random` are together at most 1.

    Call: starts, bool [tokens], whether each token is the first of a word; a generator of random
        numbers -> `Chosen`.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
    """

    def __init__(self, *, rate: float, mask: float, random: float):
        bounds.positive_share(rate=rate)
        bounds.not_negative(mask=mask, random=random)
        if mask + random > 1 + 1e-9:
            raise ValueError(
                f"`mask` and `random` must be together at most 1. Received: {mask} and {random}."
            )
        self.rate, self.mask, self.random = rate, mask, random

    def most(self, tokens: int) -> int:
        """Return the most tokens that are chosen of a text of this length."""
        return min(tokens, max(1, math.floor(self.rate * tokens + 0.5)))

    def __call__(self, starts: np.ndarray, rng: np.random.Generator) -> Chosen:
        places, groups = self.choose(starts, self.most(len(starts)), rng)
        order = np.argsort(places, kind="stable")
        drawn = rng.random(len(places))[groups]
        becomes = np.full(len(places), KEPT)
        becomes[drawn < self.mask + self.random] = RANDOM
        becomes[drawn < self.mask] = MASKED
        return Chosen(places[order], becomes[order])

    def choose(
        self, starts: np.ndarray, count: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Choose at most `count` tokens, and the group of each, below their number.

        The tokens of a group are replaced in the same way.

        Args:
            starts: bool [tokens], whether each token is the first of a word.
            count: at most the number of tokens.
            rng: the only source of randomness.

        Returns:
            Different places and their groups, integer [chosen].
        """
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"rate": self.rate, "mask": self.mask, "random": self.random}


def words_of(starts: np.ndarray) -> list[np.ndarray]:
    """Return the places of the tokens of each word; the first token always begins one.

    >>> [word.tolist() for word in words_of(np.array([False, False, True, True, False]))]
    [[0, 1], [2], [3, 4]]
    """
    cuts = np.flatnonzero(starts)
    return np.split(np.arange(len(starts)), cuts[cuts > 0])
