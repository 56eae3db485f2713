"""Offsets of embeddings, [batch, length, hidden], each example's for itself."""

import keras
from keras import ops

# What an example's largest gradient is taken for where all of it is 0.
TINY = 1e-30


def by_token(padding_mask, dtype):
    """[batch, length] -> [batch, length, 1], 1 for a token and 0 for padding."""
    return ops.expand_dims(ops.cast(padding_mask, dtype), -1)


def uniform(shape, padding_mask, seeds):
    """U(-1, 1) / sqrt(L d), L the example's tokens and d the hidden size; 0 at padding."""
    draws = keras.random.uniform(shape, -1.0, 1.0, seed=seeds)
    mask = by_token(padding_mask, draws.dtype)
    numbers = ops.maximum(ops.sum(mask, axis=1, keepdims=True), 1.0) * shape[-1]
    return draws * mask / ops.sqrt(numbers)


def over_largest(gradient):
    """Each example's gradient over its largest absolute value."""
    largest = ops.max(ops.abs(gradient), axis=(1, 2), keepdims=True)
    return gradient / ops.maximum(largest, TINY)


def over_norm(gradient):
    """Each example's gradient over its L2 norm; 0 where it is 0."""
    # Its largest is 1 after this: no square vanishes, and the norm is 1 at least, or 0.
    scaled = over_largest(gradient)
    return scaled / ops.maximum(_norm(scaled), 1.0)


def within_norm(offset, radius):
    """Each example's offset, shortened to an L2 norm of `radius` where it is longer."""
    norm = _norm(offset)
    return offset * ops.minimum(1.0, radius / ops.maximum(norm, TINY))


def _norm(x):
    return ops.sqrt(ops.sum(ops.square(x), axis=(1, 2), keepdims=True))
