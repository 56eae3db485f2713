"""Layer dropout, or stochastic depth."""

from typing import Any

import keras
from keras import ops

from ftkeras.regularizers._base import Regularizer
from ftkeras.regularizers._random import stream
from ftkeras.support.bounds import share
from ftkeras.support.protocols import Model


class LayerDrop(Regularizer):
    """Skip whole layers at random in training: stochastic depth.

    x_i = b layer_i(x_{i-1}) + (1 - b) x_{i-1},     b ~ Bernoulli(1 - p)

    b is sampled for each example and layer. Nothing is rescaled, because each layer's output is
    normalized. The loss has no additional term, and no computation is saved.
    Source: Fan et al., 2020, section 3, https://arxiv.org/abs/1909.11556, and Huang et al., 2016,
    https://arxiv.org/abs/1603.09382; both sample once for a whole batch.

    Args:
        p: probability that an example skips a layer; at least 0, below 1.
        seed: integer that determines the samples, or None.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
            In `attach`: if another part already changes the layers' outputs.
    """

    by_row = True

    def __init__(self, *, p: float = 0.1, seed: int | None = None):
        share(p=p)
        self.p, self.seed = p, seed
        self.seeds = stream("layer_drop", seed)

    def attach(self, model: Model) -> None:
        model.encoder.hooks.add_output_hook(self._skip)

    def _skip(self, number: int, before: Any, after: Any) -> Any:
        sample = keras.random.uniform((ops.shape(after)[0], 1, 1), seed=self.seeds)
        return ops.where(sample < self.p, before, after)
