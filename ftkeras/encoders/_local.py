"""Local attention: each token attends to tokens at most `window` positions away.

Long rows are cut into blocks of `window` queries, which see the keys of their own block and of
both neighbours. That costs O(length * window) in time and memory, not O(length^2).
Source: Beltagy et al., 2020, https://arxiv.org/abs/2004.05150, section 3.2.
"""

from typing import Any

import numpy as np
from keras import ops

from ftkeras.encoders._packing import MASKED, Packing

Tensor = Any


def is_blockwise(length: Any, window: int) -> bool:
    """Return whether rows are cut into blocks, which pays if they are longer than three windows.

    Args:
        length: of the rows; an integer, or a tensor if it is only known when the graph runs.
        window: the largest distance of a key.
    """
    return not isinstance(length, int) or length > 3 * window


def to_blocks(x: Tensor, window: int) -> Tensor:
    """Cut queries [batch, heads, length, size] into [batch * blocks, heads, window, size]."""
    return _fold(_split(x, window, margin=0))


def to_neighbours(x: Tensor, window: int) -> Tensor:
    """Return the keys that each block sees, [batch * blocks, heads, 3 * window, size]."""
    x = _split(x, window, margin=window)
    return _fold(ops.concatenate([x[:, :, :-2], x[:, :, 1:-1], x[:, :, 2:]], axis=3))


def from_blocks(x: Tensor, window: int, length: Any) -> Tensor:
    """Undo `to_blocks` for rows of this length."""
    _, heads, _, size = ops.shape(x)
    x = ops.reshape(x, (-1, _count(length, window), heads, window, size))
    x = ops.transpose(x, (0, 2, 1, 3, 4))
    return ops.reshape(x, (-1, heads, _count(length, window) * window, size))[:, :, :length]


def local_bias(padding_mask: Tensor, packing: Packing | None, window: int) -> Tensor:
    """Return the score bias that restricts attention to near tokens of the same text.

    Args:
        padding_mask: [batch, length], 1 for tokens and 0 for padding.
        packing: where texts lie in packed rows, or None for one text in each row.
        window: the largest distance of a key.

    Returns:
        [batch, 1, length, length], or [batch * blocks, 1, window, 3 * window] if rows are cut into
        blocks.
    """
    # 0 for padding, also around the row; the texts' numbers from 1.
    texts = ops.cast(padding_mask, "int32")
    if packing is not None:
        texts = texts * ops.cast(packing.texts + 1, "int32")
    length = ops.shape(texts)[1]
    texts = texts[:, None, :, None]
    if is_blockwise(length, window):
        query, key = to_blocks(texts, window), to_neighbours(texts, window)
        positions = np.arange(window), np.arange(3 * window) - window
        near = np.abs(positions[0][:, None] - positions[1]) <= window
    else:
        query = key = texts
        near = np.abs(np.arange(length)[:, None] - np.arange(length)) <= window
    key = ops.swapaxes(key, -1, -2)
    seen = ops.logical_and(key > 0, near)
    if packing is not None:  # of one text in a row, also padding sees the tokens, as elsewhere
        seen = ops.logical_and(seen, ops.equal(query, key))
    return ops.where(seen, 0.0, MASKED)


def local_first_bias(bias: Tensor, starts: Tensor, window: int) -> Tensor:
    """Mask keys that are far from the texts' first tokens.

    Args:
        bias: the score bias of global attention, broadcast to [batch, 1, texts, length].
        starts: where the texts start, [batch or 1, texts].
        window: the largest distance of a key.
    """
    length = ops.shape(bias)[-1]
    distance = ops.arange(length, dtype=starts.dtype) - starts[:, :, None]
    near = ops.logical_and(distance >= 0, distance <= window)
    return ops.where(near[:, None], bias, ops.cast(MASKED, bias.dtype))


def _count(length: Any, window: int) -> Any:
    """Return the number of blocks."""
    return (length + window - 1) // window


def _split(x: Tensor, window: int, margin: int) -> Tensor:
    """Pad with zeros, and cut into [batch, heads, blocks, window, size]."""
    batch, heads, length, size = ops.shape(x)
    count = _count(length, window)
    padding = count * window - length
    parts = [ops.zeros((batch, heads, n, size), x.dtype) for n in (margin, padding + margin)]
    x = ops.concatenate([parts[0], x, parts[1]], axis=2)
    return ops.reshape(x, (batch, heads, count + 2 * margin // window, window, size))


def _fold(x: Tensor) -> Tensor:
    """Return [batch, heads, blocks, rows, size] as [batch * blocks, heads, rows, size]."""
    _, heads, _, rows, size = ops.shape(x)
    return ops.reshape(ops.transpose(x, (0, 2, 1, 3, 4)), (-1, heads, rows, size))
