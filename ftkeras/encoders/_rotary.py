"""Rotary positions: queries and keys turned by angles that are proportional to their positions."""

from typing import Any

import numpy as np
from keras import ops

from ftkeras.encoders._gradients import at_least_float32

Tensor = Any
Rotary = tuple[Tensor, Tensor]


def rotary_tables(positions: Tensor, base: float, size: int) -> Rotary:
    """Return the cosines and sines of positions p: those of p base^(-2 i / size).

    Source: Su et al., 2021, https://arxiv.org/abs/2104.09864, equation 34.

    Args:
        positions: integers from 0, [batch, length] or [1, length].
        base: of the angles' geometric series; positive.
        size: width of a head; even.

    Returns:
        Two tensors [batch or 1, 1, length, size / 2], float32.
    """
    steps = np.arange(0, size, 2, dtype="float32") / np.float32(size)
    inverse = (1 / np.float32(base) ** steps).astype("float32")
    angles = ops.cast(positions, "float32")[:, None, :, None] * inverse
    return ops.cos(angles), ops.sin(angles)


def rotate(x: Tensor, rotary: Rotary) -> Tensor:
    """Turn each pair (x_i, x_{i + size / 2}) of x [batch, heads, length, size] by its angle."""
    first, second = ops.split(at_least_float32(x), 2, axis=-1)
    cosine, sine = (ops.cast(table, first.dtype) for table in rotary)
    parts = [first * cosine - second * sine, second * cosine + first * sine]
    return ops.cast(ops.concatenate(parts, axis=-1), x.dtype)
