"""Adapters in each layer."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from ftkeras.policies import _layers
from ftkeras.policies._base import TRAINS, Policy
from ftkeras.support import bounds
from ftkeras.support.layer_hooks import SUB_LAYERS
from ftkeras.support.protocols import Encoder, Model

STANDARD_DEVIATION = 0.01


class Adapters(Policy):
    """Train two small networks in each layer and the LayerNorms, and freeze the rest.

    h <- h + gelu(h D + d) U + u,    D [hidden, size], U [size, hidden] ~ N(0, 0.01²), d = u = 0

    where h is the output of a sub-layer, attention or feed-forward, before its residual connection.
    The normal distribution is truncated at two standard deviations, so training starts very near
    the pretrained function. The head trains, and so does the pooler, as its first layer.

    Adapters can't be merged into the encoder. They remain part of the model, its weights file and
    its SavedModel, which costs 4 · size · hidden more multiplications per layer and token. There is
    no Hugging Face export.
    Source: Houlsby et al., 2019, section 2.1, https://arxiv.org/abs/1902.00751.

    Args:
        size: width of the bottleneck; at least 1.
        pooler: whether the pooler, if there is one, trains.
        seed: integer that determines the new weights, or None.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
    """

    decides = TRAINS
    stays = True
    rate_factor = 5.0

    def __init__(self, *, size: int = 64, pooler: bool = True, seed: int | None = None):
        bounds.integer(1, size=size)
        bounds.boolean(pooler=pooler)
        bounds.optional_integer(0, seed=seed)
        self.size, self.pooler, self.seed = size, pooler, seed

    def prepare(self, model: Model) -> None:
        encoder = model.encoder
        for variable in encoder.weights:
            variable.trainable = "norm" in variable.name
        for variable in _layers.pooler_weights(encoder):
            variable.trainable = self.pooler
        model.added.adapters = Bottlenecks(
            encoder, size=self.size, seed=self.seed, dtype=encoder.dtype_policy
        )


class Bottlenecks(keras.layers.Layer):
    """Create the adapters of all layers, own their weights, and register them with the encoder.

    It is never called itself.

    Args:
        encoder: gets a hook on each sub-layer.
        size: width of the bottleneck.
        seed: integer that determines the weights, or None.
        **kwargs: other arguments of `keras.layers.Layer`.
    """

    def __init__(self, encoder: Encoder, *, size: int, seed: int | None, **kwargs: Any):
        super().__init__(name=_layers.ADAPTERS.rstrip("/"), **kwargs)
        seeds = keras.random.SeedGenerator(seed)
        normal = keras.initializers.TruncatedNormal(stddev=STANDARD_DEVIATION, seed=seeds)
        for layer in encoder.blocks:
            for sub_layer in SUB_LAYERS:
                name = f"{layer.name}_{sub_layer}"
                adapter = self._adapter(name, encoder.hidden, size, normal)
                encoder.hooks.add_sub_layer_hook(layer, sub_layer, adapter)
        self.built = True

    def _adapter(
        self, name: str, hidden: int, size: int, normal: keras.Initializer
    ) -> Callable[[Any], Any]:
        def weight(part: str, *shape: int) -> keras.Variable:
            initializer = normal if len(shape) == 2 else "zeros"
            return self.add_weight(name=f"{name}_{part}", shape=shape, initializer=initializer)

        down, down_bias = weight("down_kernel", hidden, size), weight("down_bias", size)
        up, up_bias = weight("up_kernel", size, hidden), weight("up_bias", hidden)

        def adapter(states: Any) -> Any:
            inner = ops.gelu(ops.add(ops.matmul(states, down), down_bias), approximate=False)
            return states + ops.add(ops.matmul(inner, up), up_bias)

        return adapter
