"""Bring together what a network says about the windows of a text, in the graph."""

from typing import Any

import tensorflow as tf

from ftkeras.text import ragged_tensors


def join_rows(part: tf.Tensor, counts: tf.Tensor, fill: Any) -> tf.Tensor:
    """Return the windows of each text as one row.

    Args:
        part: what is known of each token, [windows, length, …].
        counts: the windows of each text, integer [batch].
        fill: the value behind a text's last window.

    Returns:
        [batch, most windows * length, …].

    >>> join_rows(tf.constant([[1, 2], [3, 4], [5, 6]]), tf.constant([2, 1]), -1).numpy()
    array([[ 1,  2,  3,  4],
           [ 5,  6, -1, -1]], dtype=int32)
    """
    rows = ragged_tensors.from_row_lengths(part, counts)
    dense = rows.to_tensor(tf.cast(fill, part.dtype))
    shape = tf.shape(dense)
    return tf.reshape(dense, tf.concat([shape[:1], shape[1:2] * shape[2:3], shape[3:]], axis=0))
