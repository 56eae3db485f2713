"""Add special tokens to pieces."""

import tensorflow as tf


def add_specials(
    pieces: tf.RaggedTensor, *, start: tuple[int, ...] = (), end: tuple[int, ...] = ()
) -> tf.RaggedTensor:
    """Add ids at the start and at the end of each row, int32 ragged [batch, (pieces)]."""
    parts = [
        pieces if part is None else tf.fill([pieces.nrows(), 1], part)
        for part in (*start, None, *end)
    ]
    return tf.concat(parts, axis=1)
