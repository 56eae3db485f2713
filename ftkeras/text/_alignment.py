"""Words of a text, aligned with the bytes that they come from; the maths behind offsets."""

from typing import Any, NamedTuple

import tensorflow as tf

from ftkeras.text import ragged_tensors
from ftkeras.text._respelling import canonical_order, look_up
from ftkeras.text._spellings import NOTHING, WALL, Spellings

_SPACE = ord(" ")
Tensor = Any


class AlignedWords(NamedTuple):
    """Normalized words, and the source of each of their bytes.

    Attributes:
        words: string ragged [batch, (words)], equal to `WordPiece.words`.
        first: where each word starts in the concatenation of all words, in bytes, int64 [words].
        starts: where the source of each byte of the concatenation starts in its text, in bytes,
            int64 [bytes].
        ends: where it ends.
    """

    words: tf.RaggedTensor
    first: Tensor
    starts: Tensor
    ends: Tensor


def align(texts: Tensor, tables: Spellings) -> AlignedWords:
    """Normalize texts and split them into words, keeping the source of every character.

    A character that a source character turns into has that source: both letters of the lower case
    of "İ", the base that is left of "é". Canonical reordering moves marks but not sources: the kth
    mark of a reordered run has the kth source. `tokenizers` does the same.

    Args:
        texts: string [batch], UTF-8. An invalid byte sequence is a source of its own, U+FFFD,
            which is removed: no character comes from it.
        tables: of `spellings(…, keep_marks=True)`.
    """
    points, starts = tf.strings.unicode_decode_with_offsets(texts, "UTF-8", errors="replace")
    ends = character_ends(texts, starts)
    units, text, source = _spell(points, tables)
    is_letter = units != _SPACE
    begins = is_letter & (_changed(text) | _after(~is_letter))
    word = tf.boolean_mask(tf.cumsum(tf.cast(begins, tf.int64)) - 1, is_letter)
    word_text = tf.boolean_mask(text, begins)
    units, source = tf.boolean_mask(units, is_letter), tf.boolean_mask(source, is_letter)
    count = tf.shape(word_text, tf.int64)[0]
    spelled = ragged_tensors.from_value_rows(units, word, count)
    words = tf.strings.unicode_encode(spelled, "UTF-8")
    by_byte = tf.repeat(source, byte_lengths(units))
    return AlignedWords(
        ragged_tensors.from_value_rows(words, word_text, points.nrows()),
        tf.cumsum(tf.cast(tf.strings.length(words), tf.int64), exclusive=True),
        tf.gather(starts.flat_values, by_byte),
        tf.gather(ends.flat_values, by_byte),
    )


def character_ends(texts: Tensor, starts: tf.RaggedTensor) -> tf.RaggedTensor:
    """Return the end of each character in its text, in bytes, from its start."""
    flat, text = starts.flat_values, starts.value_rowids()
    next_starts = tf.concat([flat[1:], tf.zeros_like(flat[:1])], axis=0)
    is_last = tf.concat([text[1:] != text[:-1], tf.ones_like(text[:1], tf.bool)], axis=0)
    limits = tf.gather(tf.cast(tf.strings.length(texts), tf.int64), text)
    return starts.with_flat_values(tf.where(is_last, limits, next_starts))


def _spell(points: tf.RaggedTensor, tables: Spellings) -> tuple[Tensor, Tensor, Tensor]:
    """Return the units of texts, with each unit's text and source, the index of a character."""
    rows, units = look_up(tables, points.flat_values)
    is_unit = units != NOTHING
    text, source, is_head = (
        tf.boolean_mask(tf.broadcast_to(values, tf.shape(units)), is_unit)
        for values in (
            points.value_rowids()[:, tf.newaxis],
            tf.range(tf.size(rows))[:, tf.newaxis],
            tf.range(tf.shape(units)[1])[tf.newaxis] == 0,
        )
    )
    classes = tf.boolean_mask(tf.gather(tables.classes, rows), is_unit)
    units = tf.boolean_mask(units, is_unit)

    def reorder() -> tuple[Tensor, Tensor]:
        order = canonical_order(text, classes)
        heads = tf.cumsum(tf.cast(tf.gather(is_head, order), tf.int32)) - 1
        return tf.gather(units, order), tf.gather(tf.boolean_mask(source, is_head), heads)

    movable = tf.reduce_any(rows >= tables.first_movable)
    units, source = tf.cond(movable, reorder, lambda: (units, source))
    is_kept = (units != WALL) & (units >= 0)
    return tuple(tf.boolean_mask(values, is_kept) for values in (units, text, source))


def byte_lengths(points: Tensor) -> Tensor:
    """Return the bytes of each code point in UTF-8."""
    longer = (tf.cast(points >= least, tf.int32) for least in (0x80, 0x800, 0x10000))
    return 1 + tf.add_n(list(longer))


def _changed(values: Tensor) -> Tensor:
    """Return which values differ from the one before; the first does."""
    return tf.concat([tf.ones_like(values[:1], tf.bool), values[1:] != values[:-1]], axis=0)


def _after(flags: Tensor) -> Tensor:
    """Return which flags follow one that is true; the first does not."""
    return tf.concat([tf.zeros_like(flags[:1]), flags[:-1]], axis=0)
