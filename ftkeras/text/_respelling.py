"""Replace the characters of texts by tables of spellings, in the graph."""

from typing import Any

import tensorflow as tf

from ftkeras.text import ragged_tensors
from ftkeras.text._spellings import NOTHING, PAGE, SELF, WALL, Spellings

Tensor = Any


def respell(texts: tf.Tensor, tables: Spellings) -> tf.Tensor:
    """Return texts with each character replaced by what the tables have for it."""
    points = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
    rows, units = look_up(tables, points.flat_values)
    text = tf.broadcast_to(points.value_rowids()[:, tf.newaxis], tf.shape(units))
    is_unit = units != NOTHING
    units, text = tf.boolean_mask(units, is_unit), tf.boolean_mask(text, is_unit)

    def reorder() -> tf.Tensor:
        classes = tf.boolean_mask(tf.gather(tables.classes, rows), is_unit)
        return tf.gather(units, canonical_order(text, classes))

    # Sorting takes longer than all the rest, and few texts have marks that could move.
    units = tf.cond(tf.reduce_any(rows >= tables.first_movable), reorder, lambda: units)
    is_kept = units != WALL
    units, text = tf.boolean_mask(units, is_kept), tf.boolean_mask(text, is_kept)
    spelled = ragged_tensors.from_value_rows(units, text, points.nrows())
    return tf.strings.unicode_encode(spelled, "UTF-8")


def look_up(tables: Spellings, points: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows and the units, [n] and [n, width], that replace code points, int32 [n]."""
    page = tf.gather(tables.pages, points // PAGE)
    rows = tf.gather(tables.rows, page * PAGE + points % PAGE)
    units = tf.gather(tables.units, rows)
    return rows, tf.where(units == SELF, points[:, tf.newaxis], units)


def canonical_order(text: Tensor, classes: Tensor) -> Tensor:
    """Return the order that sorts each run of marks by class, stably (Unicode Standard, D109).

    A run ends at a character of class 0 and at the end of a text.

    Args:
        text: the number of the text that each code point belongs to, int64 [n].
        classes: canonical combining classes, int32 [n].
    """
    run = tf.cumsum(tf.cast(classes == 0, tf.int64)) + text
    return tf.argsort(run * 256 + tf.cast(classes, tf.int64), stable=True)
