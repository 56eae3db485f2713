"""Reinitialize the top layers."""

import keras
import numpy as np

from ftkeras.policies import _layers
from ftkeras.policies._base import START, Policy
from ftkeras.support import bounds
from ftkeras.support.protocols import Encoder, Model

STANDARD_DEVIATION = 0.02


class Reinit(Policy):
    """Start the top layers and the pooler from random weights, and train everything.

    kernel ~ N(0, 0.02²),   bias = 0,   LayerNorm: scale = 1, bias = 0

    Source: Zhang et al., 2021, section 5, https://arxiv.org/abs/2006.05987.

    Args:
        layers: the number of layers to reinitialize, from the top down; at least 0 (only the
            pooler), at most the encoder's.
        seed: integer that determines the new weights, or None.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
            In `prepare`: if the encoder has fewer layers, or there is nothing to reinitialize. In
            `check`: if another policy freezes one of the layers.

    >>> from types import SimpleNamespace
    >>> from ftkeras.encoders.bert import Bert
    >>> encoder = Bert(vocabulary_size=30, layers=2, hidden=8, heads=2, seed=1)
    >>> Reinit(layers=1, seed=2).prepare(SimpleNamespace(encoder=encoder))
    >>> print(f"{float(keras.ops.std(encoder.blocks[1].output_kernel)):.2f}")
    0.02
    """

    decides = START

    def __init__(self, *, layers: int = 2, seed: int | None = None):
        bounds.integer(0, layers=layers)
        bounds.optional_integer(0, seed=seed)
        self.layers, self.seed = layers, seed

    def prepare(self, model: Model) -> None:
        _layers.check_count(model.encoder, self.layers)
        variables = self._variables(model.encoder)
        if not variables:
            raise ValueError("`layers` must be at least 1 without a pooler. Received: 0.")
        rng = np.random.default_rng(self.seed)
        for variable in variables:
            initializer = _initializer(variable.name, int(rng.integers(2**31)))
            variable.assign(initializer(variable.shape, dtype=variable.dtype))

    def check(self, model: Model) -> None:
        frozen = [v.path for v in self._variables(model.encoder) if not v.trainable]
        if frozen:
            raise ValueError(f"reinitializes {frozen[0]}, but another policy freezes it.")

    def _variables(self, encoder: Encoder) -> list[keras.Variable]:
        top = encoder.blocks[len(encoder.blocks) - self.layers :]
        variables = [variable for part in top for variable in part.weights]
        return variables + _layers.pooler_weights(encoder)


def _initializer(name: str, seed: int) -> keras.Initializer:
    if name.endswith("kernel"):
        return keras.initializers.RandomNormal(stddev=STANDARD_DEVIATION, seed=seed)
    return keras.initializers.Ones() if name.endswith("scale") else keras.initializers.Zeros()
