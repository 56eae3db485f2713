"""Perturbations of embeddings, [batch, length, hidden]; each example has its own."""

from typing import Any

import keras
from keras import ops

Tensor = Any
# Used as an example's largest absolute gradient if its whole gradient is 0.
TINY = 1e-30


def token_weights(padding_mask: Tensor, dtype: Any) -> Tensor:
    """Return 1 for tokens and 0 for padding: [batch, length] -> [batch, length, 1]."""
    return ops.expand_dims(ops.cast(padding_mask, dtype), -1)


def uniform(shape: Any, padding_mask: Tensor, seeds: Any) -> Tensor:
    """Sample U(-1, 1) / sqrt(L d), with L an example's tokens and d the hidden size.

    Args:
        shape: (batch, length, hidden).
        padding_mask: [batch, length], 1 for tokens; the sample is 0 at padding. None if all are
            tokens.
        seeds: seed generator.
    """
    sample = keras.random.uniform(shape, -1.0, 1.0, seed=seeds)
    if padding_mask is None:
        padding_mask = ops.ones(shape[:2])
    mask = token_weights(padding_mask, sample.dtype)
    numbers = ops.maximum(ops.sum(mask, axis=1, keepdims=True), 1.0) * shape[-1]
    return sample * mask / ops.sqrt(numbers)


def over_largest(gradient: Tensor) -> Tensor:
    """Divide each example's gradient by its largest absolute value.

    A gradient that is not finite counts as 0: loss scaling makes some overflow in float16, in a
    step whose update is skipped then.
    """
    largest = ops.max(ops.abs(gradient), axis=(1, 2), keepdims=True)
    divided = gradient / ops.maximum(largest, TINY)
    return ops.where(ops.isfinite(largest), divided, ops.zeros_like(divided))


def over_norm(gradient: Tensor) -> Tensor:
    """Divide each example's gradient by its L2 norm; a gradient of 0 stays 0."""
    # The largest element is now 1, so its square does not vanish and the norm is at least 1, or 0.
    scaled = over_largest(gradient)
    return scaled / ops.maximum(_norm(scaled), 1.0)


def within_norm(offset: Tensor, radius: float) -> Tensor:
    """Shorten each example's offset to an L2 norm of `radius` if it is longer."""
    norm = _norm(offset)
    return offset * ops.minimum(1.0, radius / ops.maximum(norm, TINY))


def _norm(x: Tensor) -> Tensor:
    return ops.sqrt(ops.sum(ops.square(x), axis=(1, 2), keepdims=True))
