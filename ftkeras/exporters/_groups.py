"""Run a network over rows of different lengths, in groups of similar length, in the graph.

A batch padded to its longest text makes the network compute as much for each short one. Sorted by
length and cut where that saves enough, the rows are padded to the longest of their group only.
"""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from ftkeras.exporters._lengths import round_up

# Rows that the network reads at once, so that any number of them needs little memory.
MOST_ROWS = 64
# A new group begins if its rows are at most 3/4 as long as the longest of the group before it, and
# this saves so many tokens of padding: about what the operations of another group cost.
LENGTHS, TOKENS = (3, 4), 256

Ids = Mapping[str, tf.Tensor]


def run_in_groups(
    run: Callable[[Ids], tf.Tensor],
    ids: Ids,
    *,
    pad_id: int,
    sizes: list[int],
    shape: tf.TensorShape,
) -> tf.Tensor:
    """Run a network over rows, those of similar length together.

    Args:
        run: ids by name, int32 [rows, length] -> float32 [rows, outputs], or
            [rows, length, outputs].
        ids: of all rows, int32 [rows, longest], padded behind each row; has `token_ids`.
        pad_id: the token id that rows are padded with.
        sizes: the lengths that groups are padded to, in ascending order; the last holds every row.
        shape: of the outputs, as far as it is known; the last axis is.

    Returns:
        What it returns for all rows, in their order. Of [rows, length, outputs], what is beyond the
        length of a row's group is 0.
    """
    lengths = row_lengths(ids["token_ids"], pad_id)
    order = tf.argsort(lengths, direction="DESCENDING", stable=True)
    lengths = tf.gather(lengths, order)
    ordered = {name: tf.gather(part, order) for name, part in ids.items()}
    rows, longest = tf.unstack(tf.shape(ids["token_ids"]))

    def run_group(first: Any, before: Any) -> tuple:
        end = group_end(lengths, first)
        size = tf.minimum(round_up(lengths[first : first + 1], sizes)[0], longest)
        outputs = run({name: part[first:end, :size] for name, part in ordered.items()})
        return end, tf.concat([before, _extend(outputs, longest - size)], axis=0)

    # A tensor that grows: unlike a TensorArray, it keeps the shape that is known.
    none = tf.zeros([0, *([longest] if shape.rank == 3 else []), shape[-1]])
    _, computed = tf.while_loop(
        lambda first, _: first < rows,
        run_group,
        (0, none),
        shape_invariants=(tf.TensorShape([]), shape),
        parallel_iterations=1,
    )
    return tf.gather(computed, tf.argsort(order))


def row_lengths(token_ids: tf.Tensor, pad_id: int) -> tf.Tensor:
    """Return the length of each row without its padding, int32 [rows].

    >>> row_lengths(tf.constant([[7, 0, 7, 0], [7, 0, 0, 0]]), 0).numpy()
    array([3, 1], dtype=int32)
    """
    places = tf.range(1, tf.shape(token_ids)[1] + 1)
    return tf.reduce_max(tf.where(token_ids == pad_id, 0, places), axis=1)


def group_end(lengths: tf.Tensor, first: tf.Tensor) -> tf.Tensor:
    """Return the end of the group that begins at row `first`.

    Args:
        lengths: of the rows, int32 [rows], descending.
        first: the row that the group begins with.

    >>> int(group_end(tf.constant([200, 190, 60, 50, 50]), tf.constant(0)))
    2
    """
    rows = tf.shape(lengths)[0]
    behind = lengths[first : first + MOST_ROWS]
    longest = tf.reduce_max(behind)
    places = first + tf.range(tf.shape(behind)[0])
    shorter = LENGTHS[1] * behind <= LENGTHS[0] * longest
    saves = (longest - behind) * (rows - places) >= TOKENS
    begins = tf.boolean_mask(places, shorter & saves)
    return tf.reduce_min(tf.concat([begins, [tf.minimum(first + MOST_ROWS, rows)]], axis=0))


def _extend(outputs: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """Return outputs of each token with zeros behind each row; others as they are."""
    if outputs.shape.rank == 2:
        return outputs
    paddings = tf.stack([tf.zeros([2], tf.int32), tf.stack([0, places]), tf.zeros([2], tf.int32)])
    return tf.pad(outputs, paddings)
