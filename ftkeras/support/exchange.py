"""Add up the gradients of a strategy's replicas."""

import contextlib
import contextvars
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from ftkeras.support.indexed_slices import merge_rows

DTYPES = ("bfloat16",)
_current: contextvars.ContextVar["Exchange"] = contextvars.ContextVar("exchange")


@dataclass(frozen=True)
class Exchange:
    """Add up gradients over replicas.

    Dense gradients are summed by an all-reduce. Of the gradient of an embedding, replicas that
    exchange rows send each other the rows that they have looked up, if those are fewer bytes: see
    `bytes_sent`. Each adds them up in the same order.

    Args:
        dtype: of the numbers on their way, bfloat16; None for their own. Each replica's share is
            rounded to it, and so is each partial sum.
        rows: whether to exchange rows.
    """

    dtype: str | None = None
    rows: bool = False

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Let optimizers that are created meanwhile exchange their gradients so."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def sum(self, gradients: Sequence[Any], *, keep_rows: bool) -> list[Any]:
        """Return the sums over replicas; call it in a replica's context.

        Args:
            gradients: tensors, or IndexedSlices of embeddings.
            keep_rows: whether to return IndexedSlices as such, each row once; otherwise dense.
        """
        context = tf.distribute.get_replica_context()
        replicas = 1 if context is None else context.num_replicas_in_sync
        sent = [self._prepared(gradient, replicas, keep_rows) for gradient in gradients]
        if context is not None and replicas > 1:
            received = context.all_reduce(tf.distribute.ReduceOp.SUM, sent)
            sent = [
                merge_rows(self._received(total, gradient))
                for total, gradient in zip(received, gradients, strict=True)
            ]
        return sent if keep_rows else [tf.convert_to_tensor(total) for total in sent]

    def bytes_sent(self, gradient: Any, replicas: int) -> tuple[float, float | None]:
        """Return the bytes that each replica sends of a gradient: all of it, and its rows.

        Of a dense gradient of s bytes, a ring sends 2 (N - 1)/N s
        (Patarasuk and Yuan, 2009, https://doi.org/10.1016/j.jpdc.2008.09.002); of r rows of s bytes
        with their indices of i bytes, (N - 1) r (s + i). The rows are those of all tokens, of
        which each distinct one is sent once, so that less is sent.

        Args:
            gradient: a tensor, or IndexedSlices whose `dense_shape` is known.
            replicas: N.

        Returns:
            The second number is None for a tensor, and if the number of rows is not known before
            the step runs.

        >>> rows = tf.IndexedSlices(tf.zeros([100, 8]), tf.zeros([100], tf.int32), (1000, 8))
        >>> Exchange("bfloat16").bytes_sent(rows, 2)
        (16000.0, 2000.0)
        """
        size = _size(self.dtype or gradient.dtype)
        shape = _dense_shape(gradient)
        dense = 2 * (replicas - 1) / replicas * size * math.prod(shape)
        rows = gradient.values.shape[0] if isinstance(gradient, tf.IndexedSlices) else None
        if rows is None:
            return dense, None
        row = size * math.prod(shape[1:]) + _size(gradient.indices.dtype)
        return dense, float((replicas - 1) * rows * row)

    def _prepared(self, gradient: Any, replicas: int, keep_rows: bool) -> Any:
        """Return the gradient in the form that a replica sends: rows or dense, and cast."""
        if isinstance(gradient, tf.IndexedSlices):
            sends_rows = keep_rows or (replicas > 1 and self._saves(gradient, replicas))
            gradient = merge_rows(gradient) if sends_rows else tf.convert_to_tensor(gradient)
        if self.dtype is None or replicas == 1:
            return gradient
        if isinstance(gradient, tf.IndexedSlices):
            # Rows are gathered, and TensorFlow gathers no bfloat16: its bits travel as float16.
            bits = tf.bitcast(tf.cast(gradient.values, self.dtype), tf.float16)
            return _with_values(gradient, bits)
        return tf.cast(gradient, self.dtype)

    def _received(self, total: Any, gradient: Any) -> Any:
        """Return the total that has been received for a gradient, in its type."""
        if not isinstance(total, tf.IndexedSlices):
            return tf.cast(total, gradient.dtype)
        values = total.values if self.dtype is None else tf.bitcast(total.values, self.dtype)
        return _with_values(total, tf.cast(values, gradient.dtype))

    def _saves(self, gradient: tf.IndexedSlices, replicas: int) -> bool:
        """Return whether the rows of a gradient are fewer bytes than all of it."""
        dense, rows = self.bytes_sent(gradient, replicas)
        return self.rows and rows is not None and rows < dense


def current() -> Exchange:
    """Return the exchange of the scope; outside of one, an all-reduce of all numbers."""
    return _current.get(Exchange())


def _size(dtype: Any) -> int:
    return np.dtype(tf.as_dtype(dtype).as_numpy_dtype).itemsize


def _dense_shape(gradient: Any) -> list[int]:
    if isinstance(gradient, tf.IndexedSlices):
        return [int(size) for size in tf.get_static_value(gradient.dense_shape)]
    return gradient.shape.as_list()


def _with_values(rows: tf.IndexedSlices, values: tf.Tensor) -> tf.IndexedSlices:
    return tf.IndexedSlices(values, rows.indices, rows.dense_shape)
