"""Low-rank adaptation."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from ftkeras.policies import _layers
from ftkeras.policies._base import TRAINS, Policy
from ftkeras.support import bounds
from ftkeras.support.protocols import Encoder, EncoderLayer, Model

# The names of a layer's kernels and of their shares, as `EncoderLayer.kernels` has them.
TARGETS = ("query", "key", "value", "attention_output", "intermediate", "gate", "output")


class LoRA(Policy):
    """Train low-rank updates of chosen kernels, and freeze the kernels themselves.

    W' = W + alpha / rank * A B,    A [inputs, rank] ~ N(0, 1 / (3 inputs)),  B [rank, outputs] = 0

    Training starts with the pretrained function. Everything else in the encoder is frozen,
    including biases and LayerNorms. The head trains, and so does the pooler, as its first layer.
    `finish` replaces W by W', so the model that is evaluated, saved and exported is a plain
    encoder of the same size and cost.

    A step computes W' once. So it computes the gradients of the chosen kernels, but not those of
    the others. The optimizer needs memory only for A and B. A's input has no dropout.
    Source: Hu et al., 2022, section 4.1, https://arxiv.org/abs/2106.09685; A's standard deviation
    is that of their code.

    Args:
        rank: number of columns of A; at least 1, at most the smaller of `hidden` and
            `intermediate`.
        alpha: scale of the update; positive.
        targets: regular expression that chooses kernels by their whole name: query, key, value,
            attention_output, intermediate, gate (ModernBERT's) or output.
        pooler: whether the pooler, if there is one, trains.
        seed: integer that determines A, or None.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
            In `prepare`: if the rank is too large for the encoder's kernels.
    """

    decides = TRAINS
    rate_factor = 10.0  # Hu et al. train RoBERTa base on GLUE at 4e-4 to 5e-4

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
        bounds.optional_integer(0, seed=seed)
        self.chosen = _matching_names(targets)
        self.rank, self.alpha, self.targets = rank, alpha, targets
        self.pooler, self.seed = pooler, seed

    def prepare(self, model: Model) -> None:
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
        for layer, names, kernel in self._kernels(encoder):
            update = factors.update(layer.name, kernel, names, self.chosen)
            encoder.hooks.add_kernel_hook(kernel, update)
        model.scaffold.lora = factors

    def finish(self, model: Model) -> None:
        for _, _, kernel in self._kernels(model.encoder):
            update = model.encoder.hooks.remove_kernel_hook(kernel)
            kernel.assign(update(kernel, False))
        # Functions traced with the updates, such as validation's, must not add them again.
        model.scaffold.lora.reset()

    def merge(self, model: keras.Model) -> None:
        """Add the update to the kernels of a model that the policy was applied to.

        The encoder is then a plain one, which `save` and `export` write; it stays frozen.

        Raises:
            ValueError: the policy was not applied to this model, or it is merged already.
        """
        if not getattr(model, "lora", None) or not model.lora.trainable:
            raise ValueError(f"LoRA was not applied to {model.name!r}, or it is merged already.")
        super().merge(model)
        model.lora.trainable = False

    def _kernels(
        self, encoder: Encoder
    ) -> Iterator[tuple[EncoderLayer, Sequence[str], keras.Variable]]:
        for layer in encoder.blocks:
            for names, kernel in layer.kernels.items():
                if self.chosen & set(names):
                    yield layer, names, kernel


class LowRank(keras.layers.Layer):
    """Create and own every A and B. It is never called itself.

    Args:
        rank: columns of A.
        scale: alpha / rank.
        seed: integer that determines every A, or None.
        **kwargs: other arguments of `keras.layers.Layer`.
    """

    def __init__(self, *, rank: int, scale: float, seed: int | None, **kwargs: Any):
        super().__init__(name="lora", **kwargs)
        self.rank, self.scale = rank, scale
        self._rng = np.random.default_rng(seed)
        self.built = True

    def update(
        self, layer: str, kernel: keras.Variable, names: Sequence[str], chosen: set[str]
    ) -> "Update":
        """Return the update of a kernel.

        Args:
            layer: name of the kernel's layer.
            kernel: [inputs, outputs].
            names: of its equal shares of columns.
            chosen: the names of the shares to update.
        """
        inputs, outputs = kernel.shape
        factors = [
            self._factors(f"{layer}_{name}", inputs, outputs // len(names))
            if name in chosen
            else None
            for name in names
        ]
        return Update(factors, self.scale)

    def reset(self) -> None:
        """Reset all updates to zero."""
        for variable in self.weights:
            if variable.name.endswith("_b"):
                variable.assign(ops.zeros_like(variable))

    def _factors(
        self, name: str, inputs: int, outputs: int
    ) -> tuple[keras.Variable, keras.Variable]:
        normal = keras.initializers.RandomNormal(
            stddev=(3 * inputs) ** -0.5, seed=int(self._rng.integers(2**31))
        )
        a = self.add_weight(name=f"{name}_a", shape=(inputs, self.rank), initializer=normal)
        b = self.add_weight(name=f"{name}_b", shape=(self.rank, outputs), initializer="zeros")
        return a, b


class Update:
    """A kernel hook that adds scale * A B to each chosen share of the kernel's columns.

    Args:
        factors: (A, B) for each of the equal shares, or None for one without an update.
        scale: alpha / rank.
    """

    def __init__(self, factors: list[tuple[keras.Variable, keras.Variable] | None], scale: float):
        self.factors, self.scale = factors, scale

    def __call__(self, kernel: Any, training: bool) -> Any:
        kernel = ops.convert_to_tensor(kernel)
        shares = ops.split(kernel, len(self.factors), axis=1)
        return ops.concatenate(
            [self._add(*pair) for pair in zip(shares, self.factors, strict=True)], axis=1
        )

    def _add(self, share: Any, factors: tuple[keras.Variable, keras.Variable] | None) -> Any:
        if factors is None:
            return share
        a, b = factors
        return share + self.scale * ops.matmul(a, b)


def _matching_names(targets: str) -> set[str]:
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
