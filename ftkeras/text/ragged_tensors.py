"""Make ragged tensors of flat values.

TensorFlow's annotations lack `RaggedTensor.from_row_lengths` and its kin. Its checks are left out,
because they would cost time in every served request.
"""

from typing import Any

import tensorflow as tf

_FACTORY: Any = tf.RaggedTensor


def from_row_lengths(values: tf.Tensor, lengths: tf.Tensor) -> tf.RaggedTensor:
    """Return rows of these lengths, integer [rows], with the values one after the other."""
    return _FACTORY.from_row_lengths(values, lengths, validate=False)


def from_value_rows(values: Any, rows: tf.Tensor, count: Any) -> tf.RaggedTensor:
    """Return as many rows as `count` says, given the row of each value, ascending integers."""
    return _FACTORY.from_value_rowids(values, rows, count, validate=False)
