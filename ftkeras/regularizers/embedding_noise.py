"""Noise on the embeddings (NEFTune)."""

from typing import Any

from keras import ops

from ftkeras.regularizers._base import Regularizer
from ftkeras.regularizers._perturbation import uniform
from ftkeras.regularizers._random import stream
from ftkeras.support.bounds import not_negative
from ftkeras.support.protocols import Model


class EmbeddingNoise(Regularizer):
    """Add uniform noise to the embeddings in training.

    x' = x + alpha * U(-1, 1) / sqrt(L d)

    where x is the sum of the embeddings before normalization, L is the example's number of tokens,
    and d is the hidden size. Padding gets no noise. The loss has no additional term.
    Source: Jain et al., 2023 (NEFTune), algorithm 1, https://arxiv.org/abs/2310.05914.

    Args:
        alpha: scale of the noise, about 1.7 times the L2 norm of an example's noise; at least 0.
        seed: integer that determines the noise, or None.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
            In `attach`: if another part already changes the embeddings.
    """

    by_row = True

    def __init__(self, *, alpha: float = 5.0, seed: int | None = None):
        not_negative(alpha=alpha)
        self.alpha, self.seed = alpha, seed
        self.seeds = stream("embedding_noise", seed)

    def attach(self, model: Model) -> None:
        model.encoder.hooks.add_embedding_hook(self._add_noise)

    def _add_noise(self, x: Any, padding_mask: Any) -> Any:
        noise = uniform(ops.shape(x), padding_mask, self.seeds)
        return x + self.alpha * ops.cast(noise, x.dtype)
