"""Run a network over the windows of texts, and bring its outputs together, in the graph."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

# The windows that the network reads at once, so that a very long text needs little memory.
WINDOWS = 64

Ids = Mapping[str, tf.Tensor]


def run_in_chunks(run: Callable[[Ids], tf.Tensor], ids: Ids) -> tf.Tensor:
    """Run a network over rows, a limited number at a time.

    Args:
        run: ids by name, int32 [rows, length] -> float32 [rows, …].
        ids: of all rows.

    Returns:
        What it returns for all rows.
    """
    rows = tf.shape(ids["token_ids"])[0]
    chunks = tf.maximum((rows + WINDOWS - 1) // WINDOWS, 1)

    def run_chunk(number: Any, found: Any) -> tuple:
        first = number * WINDOWS
        chunk = {name: part[first : first + WINDOWS] for name, part in ids.items()}
        return number + 1, found.write(number, run(chunk))

    found = tf.TensorArray(tf.float32, size=chunks, infer_shape=False)
    _, found = tf.while_loop(
        lambda number, _: number < chunks, run_chunk, (0, found), parallel_iterations=1
    )
    return found.concat()


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
    factory: Any = tf.RaggedTensor
    rows = factory.from_row_lengths(part, counts, validate=False)
    dense = rows.to_tensor(tf.cast(fill, part.dtype))
    shape = tf.shape(dense)
    return tf.reshape(dense, tf.concat([shape[:1], shape[1:2] * shape[2:3], shape[3:]], axis=0))
