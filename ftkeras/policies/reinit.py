import keras
import numpy as np

from ftkeras.policies import _layers
from ftkeras.policies._base import START, Policy
from ftkeras.support import bounds

STANDARD_DEVIATION = 0.02


class Reinit(Policy):
    """The top layers and the pooler forget what they were pretrained to, and start anew.

    kernel ~ N(0, 0.02²),   bias = 0,   LayerNorm: scale = 1, bias = 0

    Source: Zhang et al., 2021, section 5, https://arxiv.org/abs/2006.05987.

    Args:
        layers: how many of the top layers start anew; at least 0 (the pooler alone), at most the
            encoder's.
        seed: integer that fixes the new weights.

    Raises:
        ValueError: naming the argument, its bound and the value received; in `prepare`, for more
            layers than the encoder has, or nothing to start anew; in `check`, where one of them
            is frozen.
    """

    decides = START

    def __init__(self, *, layers: int = 2, seed: int | None = None):
        bounds.integer(0, layers=layers)
        self.layers, self.seed = layers, seed

    def prepare(self, model) -> None:
        _layers.must_have(model.encoder, self.layers)
        variables = self._variables(model.encoder)
        if not variables:
            raise ValueError("`layers` must be at least 1 without a pooler. Received: 0.")
        draws = np.random.default_rng(self.seed)
        for variable in variables:
            start = _initializer(variable.name, int(draws.integers(2**31)))
            variable.assign(start(variable.shape, dtype=variable.dtype))

    def check(self, model) -> None:
        frozen = [v.path for v in self._variables(model.encoder) if not v.trainable]
        if frozen:
            raise ValueError(f"starts {frozen[0]} anew, but another policy keeps that frozen.")

    def _variables(self, encoder):
        top = encoder.blocks[len(encoder.blocks) - self.layers :]
        parts = [*top, *([] if encoder.pool is None else [encoder.pool])]
        return [variable for part in parts for variable in part.weights]


def _initializer(name, seed):
    if name.endswith("kernel"):
        return keras.initializers.RandomNormal(stddev=STANDARD_DEVIATION, seed=seed)
    return keras.initializers.Ones() if name.endswith("scale") else keras.initializers.Zeros()
