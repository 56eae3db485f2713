"""Mixout."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from ftkeras.regularizers._base import Regularizer
from ftkeras.regularizers._random import stream
from ftkeras.regularizers._variables import constant_copy
from ftkeras.support.bounds import share
from ftkeras.support.protocols import Model


class Mixout(Regularizer):
    """Replace weights by their pretrained values at random in training.

    w' = (m w + (1 - m) w⁰ - p w⁰) / (1 - p) = w⁰ + m (w - w⁰) / (1 - p),     m ~ Bernoulli(1 - p)

    in each trainable kernel of the encoder's layers. Each pass samples one m for all weights of an
    input neuron; query, key and value share it. E[w'] = w. The gradient has the formula's factor
    m / (1 - p); the authors' code omits 1 / (1 - p). The loss has no additional term. The
    pretrained copies need as much memory as those kernels.
    Source: Lee et al., 2020, figure 1, https://arxiv.org/abs/1909.11299. They use it instead of
    dropout (the encoder's dropout=0).

    Args:
        p: probability of the pretrained weight; at least 0, below 1.
        seed: integer that determines the samples, or None.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
            In `attach`: if no kernel trains, or another part already changes one.
    """

    def __init__(self, *, p: float = 0.7, seed: int | None = None):
        share(p=p)
        self.p, self.seed = p, seed
        self.seeds = stream("mixout", seed)

    def attach(self, model: Model) -> None:
        blocks = model.encoder.blocks
        kernels = [v for b in blocks for v in b.trainable_variables if v.name.endswith("kernel")]
        if not kernels:
            raise ValueError(
                "no kernel of an encoder layer is trainable, so there is nothing to mix."
            )
        for kernel in kernels:
            model.encoder.hooks.add_kernel_hook(kernel, self._mix_with(constant_copy(kernel)))

    def _mix_with(self, start: keras.Variable) -> Callable[[Any, bool], Any]:
        def mixed(kernel: Any, training: bool) -> Any:
            if not training:
                return kernel
            moved = ops.subtract(kernel, start)
            rows = (start.shape[0], 1)
            moved = keras.random.dropout(moved, self.p, noise_shape=rows, seed=self.seeds)
            return ops.add(start, moved)

        return mixed
