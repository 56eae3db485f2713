"""Mask single tokens."""

import numpy as np

from ftkeras.maskings._base import Masking


class Tokens(Masking):
    """Choose single tokens, each with the same probability.

    Source: Devlin et al., 2019, section 3.1, https://arxiv.org/abs/1810.04805. Wettig et al., 2023,
    https://arxiv.org/abs/2202.08005, find rates up to 0.4 better for large models.

    Args:
        rate: share of the tokens to choose; in (0, 1).
        mask: share of the chosen tokens that are replaced by the mask token.
        random: share of them that are replaced by a random token; the rest is kept.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> masked = Tokens(rate=0.25)(np.ones(8, bool), np.random.default_rng(1))
    >>> masked.places.tolist(), masked.becomes.tolist()
    ([0, 5], [1, 0])
    """

    def __init__(self, *, rate: float = 0.15, mask: float = 0.8, random: float = 0.1):
        super().__init__(rate=rate, mask=mask, random=random)

    def choose(
        self, starts: np.ndarray, count: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        return rng.permutation(len(starts))[:count], np.arange(count)
