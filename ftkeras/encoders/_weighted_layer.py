"""The base of an encoder's layers: weights, dropout, and the functions that all of them use."""

from typing import Any

import keras
import numpy as np
from keras import ops

from ftkeras.encoders._gradients import dropout, standardize, standardize_with_gradient
from ftkeras.support.seeds import ReplicaSeedGenerator

Tensor = Any
Norm = tuple[keras.Variable, keras.Variable | None]
STANDARD_DEVIATION = 0.02


def project(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Return x W + b, or x W without a bias."""
    if bias is None:
        return ops.matmul(x, kernel)
    # ops.add, not +: on TensorFlow it becomes a BiasAdd, which is fused with the matrix product.
    return ops.add(ops.matmul(x, kernel), bias)


def normalize(x: Tensor, scale: Tensor, bias: Tensor, epsilon: float, training: bool) -> Tensor:
    """Apply layer normalization over the last axis, with statistics in float32 or float64."""
    standard = standardize_with_gradient if training else standardize
    scaled = standard(x, epsilon) * scale
    return ops.cast(scaled if bias is None else ops.add(scaled, bias), x.dtype)


class WeightedLayer(keras.layers.Layer):
    """A layer whose weights start from zeros or from a normal distribution.

    Args:
        initial: "normal" (truncated, standard deviation 0.02; biases 0, scales 1), or "zeros" if a
            checkpoint is loaded afterwards.
        seed: integer; determines the weights and the dropout masks.
        **kwargs: other arguments of `keras.layers.Layer`.
    """

    def __init__(self, *, initial: str, seed: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.initial = initial
        self._seed_source = np.random.default_rng(seed)
        self.seeds = ReplicaSeedGenerator(self.next_seed())

    def next_seed(self) -> int:
        """Return the next seed of this layer."""
        return int(self._seed_source.integers(2**31))

    def normal(self) -> keras.Initializer:
        """Return a new initializer: normal, truncated at two standard deviations."""
        return keras.initializers.TruncatedNormal(stddev=STANDARD_DEVIATION, seed=self.next_seed())

    def kernel(self, name: str, *shape: int, autocast: bool = True) -> keras.Variable:
        """Add a matrix that starts as `initial` says."""
        initializer = self.normal() if self.initial == "normal" else "zeros"
        return self.add_weight(name=name, shape=shape, initializer=initializer, autocast=autocast)

    def bias(self, name: str, size: int) -> keras.Variable:
        """Add a vector of zeros."""
        return self.add_weight(name=name, shape=(size,), initializer="zeros")

    def norm(self, name: str, size: int, *, bias: bool = True) -> Norm:
        """Add the scale and the bias of a layer normalization; the bias is None without one."""

        # Not autocast: normalization is computed in float32 under every dtype policy.
        def weight(suffix: str, start: str) -> keras.Variable:
            return self.add_weight(
                name=f"{name}_{suffix}", shape=(size,), initializer=start, autocast=False
            )

        return weight("scale", "ones"), weight("bias", "zeros") if bias else None

    def drop(self, x: Tensor, rate: float, training: bool) -> Tensor:
        """Apply dropout in training."""
        return dropout(x, rate, self.seeds) if training and rate else x
