import keras
from keras import ops

from ftkeras.policies._base import TRAINS, Policy
from ftkeras.support import bounds

DEVIATION = 0.01


class Adapters(Policy):
    """Two small networks in each layer learn, and all else in the encoder stays, norms excepted.

    h <- h + gelu(h D + d) U + u,    D [hidden, size], U [size, hidden] ~ N(0, 0.01²), d = u = 0

    with h what a sub-layer, attention or feed-forward, gives before its residual is added; the
    normal distribution is cut at two standard deviations. So training begins very near the
    pretrained function. LayerNorms train, the head, and the pooler as its first layer. Adapters
    can't be folded into the encoder: they stay part of the model, of its weights file and of its
    SavedModel, which costs 4 · size · hidden operations more a layer and token (a product's
    multiplications alone); there is no Hugging Face export.
    Source: Houlsby et al., 2019, section 2.1, https://arxiv.org/abs/1902.00751.

    Args:
        size: of the bottleneck; at least 1.
        pooler: whether the pooler, where there is one, trains.
        seed: integer that fixes the new weights.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    decides = TRAINS
    stays = True

    def __init__(self, *, size: int = 64, pooler: bool = True, seed: int | None = None):
        bounds.integer(1, size=size)
        bounds.boolean(pooler=pooler)
        self.size, self.pooler, self.seed = size, pooler, seed

    def prepare(self, model) -> None:
        encoder = model.encoder
        whole = encoder.pool.weights if self.pooler and encoder.pool is not None else []
        trained = {id(variable) for variable in whole}
        for variable in encoder.weights:
            variable.trainable = "norm" in variable.name or id(variable) in trained
        model.added.adapters = Bottlenecks(
            encoder, size=self.size, seed=self.seed, dtype=encoder.dtype_policy
        )


class Bottlenecks(keras.layers.Layer):
    """Owns every adapter, and hangs each behind its sub-layer; never called itself."""

    def __init__(self, encoder, *, size: int, seed: int | None, **kwargs):
        super().__init__(name="adapters", **kwargs)
        seeds = keras.random.SeedGenerator(seed)
        normal = keras.initializers.TruncatedNormal(stddev=DEVIATION, seed=seeds)
        for block in encoder.blocks:
            for sub_layer in ("attention", "output"):
                name = f"{block.name}_{sub_layer}"
                adapter = self._adapter(name, encoder.hidden, size, normal)
                encoder.hooks.add_sub_layer_hook(block, sub_layer, adapter)
        self.built = True

    def _adapter(self, name, hidden, size, normal):
        def weight(part, *shape):
            initializer = normal if len(shape) == 2 else "zeros"
            return self.add_weight(name=f"{name}_{part}", shape=shape, initializer=initializer)

        down, down_bias = weight("down_kernel", hidden, size), weight("down_bias", size)
        up, up_bias = weight("up_kernel", size, hidden), weight("up_bias", hidden)

        def adapter(states):
            inner = ops.gelu(ops.add(ops.matmul(states, down), down_bias), approximate=False)
            return states + ops.add(ops.matmul(inner, up), up_bias)

        return adapter
