import re

import keras
import numpy as np
from keras import ops

from ftkeras.policies import _layers
from ftkeras.policies._base import TRAINS, Policy
from ftkeras.support import bounds

# A block's kernel by attribute, and the names of its equal shares of columns, left to right.
KERNELS = {
    "qkv_kernel": ("query", "key", "value"),
    "attention_kernel": ("attention_output",),
    "inner_kernel": ("intermediate",),
    "output_kernel": ("output",),
}
TARGETS = tuple(name for names in KERNELS.values() for name in names)


class Lora(Policy):
    """Low-rank adaptation: chosen kernels get a sum of few directions that learns; they stay.

    W' = W + alpha / rank * A B,    A [inputs, rank] ~ N(0, 1 / (3 inputs)),  B [rank, outputs] = 0

    so training begins with the pretrained function. All else in the encoder is frozen, biases and
    LayerNorm too; the head trains, and the pooler as its first layer. `finish` puts W' in the place
    of W: what is evaluated, kept and exported is a plain encoder of the same size and cost. A step
    forms W' once, so the chosen kernels' own gradients are still computed, those of the others
    not; the optimizer's memory is that of A and B. There is no dropout of A's input.
    Source: Hu et al., 2022, section 4.1, https://arxiv.org/abs/2106.09685; A's standard deviation
    is that of their code.

    Args:
        rank: at least 1, and at most the smaller side of a chosen kernel.
        alpha: positive.
        targets: regular expression that matches whole names of query, key, value,
            attention_output, intermediate, output.
        pooler: whether the pooler, where there is one, trains.
        seed: integer that fixes A.

    Raises:
        ValueError: naming the argument, its bound and the value received; in `prepare`, for a rank
            over what the encoder's kernels can have.
    """

    decides = TRAINS

    def __init__(
        self,
        *,
        rank: int = 8,
        alpha: float = 16,
        targets: str = "query|value",
        pooler: bool = True,
        seed: int | None = None,
    ):
        bounds.integer(1, rank=rank)
        bounds.positive(alpha=alpha)
        bounds.boolean(pooler=pooler)
        self.chosen = _chosen(targets)
        self.rank, self.alpha, self.targets = rank, alpha, targets
        self.pooler, self.seed = pooler, seed

    def prepare(self, model) -> None:
        encoder = model.encoder
        most = min(encoder.hidden, encoder.intermediate)
        if self.rank > most:
            raise ValueError(f"`rank` must be at most {most} here. Received: {self.rank}.")
        _layers.freeze(encoder, pooler=self.pooler)
        factors = LowRank(
            rank=self.rank,
            scale=self.alpha / self.rank,
            seed=self.seed,
            dtype=encoder.dtype_policy,
        )
        for block, kernel, names in self._kernels(encoder):
            update = factors.update(block, kernel, names, self.chosen)
            encoder.hooks.add_kernel_hook(kernel, update)
        model.scaffold.lora = factors

    def finish(self, model) -> None:
        for _, kernel, _ in self._kernels(model.encoder):
            change = model.encoder.hooks.remove_kernel_hook(kernel)
            kernel.assign(change(kernel, training=False))
            # What was traced with the update, validation's pass, then adds nothing to W'.
            change.clear()

    def _kernels(self, encoder):
        for block in encoder.blocks:
            for attribute, names in KERNELS.items():
                if self.chosen & set(names):
                    yield block, getattr(block, attribute), names


class LowRank(keras.layers.Layer):
    """Owns every A and B; never called itself."""

    def __init__(self, *, rank: int, scale: float, seed: int | None, **kwargs):
        super().__init__(name="lora", **kwargs)
        self.rank, self.scale = rank, scale
        self._draws = np.random.default_rng(seed)
        self.built = True

    def update(self, block, kernel, names, chosen) -> "Update":
        """Makes the factors for the shares of one kernel that are chosen."""
        inputs, outputs = kernel.shape
        factors = [
            self._factors(f"{block.name}_{name}", inputs, outputs // len(names))
            if name in chosen
            else None
            for name in names
        ]
        return Update(factors, self.scale)

    def _factors(self, name, inputs, outputs):
        normal = keras.initializers.RandomNormal(
            stddev=(3 * inputs) ** -0.5, seed=int(self._draws.integers(2**31))
        )
        a = self.add_weight(name=f"{name}_a", shape=(inputs, self.rank), initializer=normal)
        b = self.add_weight(name=f"{name}_b", shape=(self.rank, outputs), initializer="zeros")
        return a, b


class Update:
    """(kernel, training) -> kernel + scale * A B in each chosen share of its columns.

    Args:
        factors: (A, B) for each of the equal shares, or None for one that stays as it is.
        scale: alpha / rank.
    """

    def __init__(self, factors: list, scale: float):
        self.factors, self.scale = factors, scale

    def __call__(self, kernel, training):
        kernel = ops.convert_to_tensor(kernel)
        shares = ops.split(kernel, len(self.factors), axis=1)
        return ops.concatenate(
            [self._share(*pair) for pair in zip(shares, self.factors, strict=True)], axis=1
        )

    def _share(self, share, factors):
        if factors is None:
            return share
        a, b = factors
        return share + self.scale * ops.matmul(a, b)

    def clear(self) -> None:
        """Has it add nothing."""
        for factors in filter(None, self.factors):
            factors[1].assign(ops.zeros_like(factors[1]))


def _chosen(targets):
    try:
        chosen = {name for name in TARGETS if re.fullmatch(targets, name)}
    except (re.error, TypeError) as error:
        raise ValueError(
            f"`targets` must be a regular expression ({error}). Received: {targets!r}."
        ) from None
    if not chosen:
        raise ValueError(
            f"`targets` must match one of {', '.join(TARGETS)}. Received: {targets!r}."
        )
    return chosen
