"""Gradients of embeddings, which hold the rows that were looked up."""

from typing import Any

import tensorflow as tf


def merge_rows(gradient: Any) -> Any:
    """Add up the rows of an IndexedSlices that have the same index; return others as they are.

    >>> values, rows = tf.constant([[1.0], [2.0]]), tf.constant([3, 3])
    >>> merged = merge_rows(tf.IndexedSlices(values, rows, tf.constant([5, 1])))
    >>> merged.indices.numpy().tolist(), merged.values.numpy().tolist()
    ([3], [[3.0]])
    """
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, positions = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, positions, tf.shape(rows)[0])
    return tf.IndexedSlices(values, rows, gradient.dense_shape)
