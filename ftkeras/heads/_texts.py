"""Rows for each text, from packed rows that hold several."""

from typing import Any

from keras import ops

Tensor = Any


def unpack(logits: Tensor, membership: Tensor) -> tuple[Tensor, Tensor]:
    """Return the logits and the mask of each text of packed rows, from its first token on.

    Args:
        logits: [batch, length, outputs].
        membership: [batch, texts, length], true for the tokens of a text.

    Returns:
        [batch * texts, length, outputs] and [batch * texts, length].
    """
    batch, texts, length = ops.shape(membership)
    outputs = logits.shape[-1]
    members = ops.cast(membership, "int32")
    place = ops.arange(length) + ops.argmax(members, axis=-1)[..., None]
    place = ops.reshape(ops.minimum(place, length - 1), (batch, texts * length, 1))
    counts = ops.sum(members, axis=-1, keepdims=True)
    unpacked = ops.take_along_axis(logits, ops.repeat(place, outputs, axis=-1), axis=1)
    return (
        ops.reshape(unpacked, (batch * texts, length, outputs)),
        ops.reshape(ops.arange(length) < counts, (batch * texts, length)),
    )
