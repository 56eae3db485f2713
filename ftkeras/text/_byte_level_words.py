"""Split texts into words as the pre-tokenizer of byte-level BPE does, in the TensorFlow graph."""

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from ftkeras.text import _characters, ragged_tensors
from ftkeras.text._spellings import PAGE, points_of

Tensor = Any
OTHER, LETTER, NUMBER, SPACE = range(4)
_QUOTE = ord("'")
# English contractions are words of their own: 's, 't, 'm, 'd and 're, 've, 'll.
_SHORT = [ord(letter) for letter in "stmd"]
_LONG = [[ord(letter) for letter in pair] for pair in ("re", "ve", "ll")]


def split(points: tf.RaggedTensor) -> tf.RaggedTensor:
    r"""Split texts into words: each starts with at most one space, and ends before white space.

    The words are the matches of GPT-2's expression, of which a character belongs to exactly one:

        's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+

    Args:
        points: the code points of texts, int32 ragged [batch, (characters)].

    Returns:
        The words, string ragged [batch, (words)].
    """
    values, text = points.flat_values, points.value_rowids()
    starts = _starts(values, text)
    word = tf.cumsum(tf.cast(starts, tf.int64)) - 1
    word_text = tf.boolean_mask(text, starts)
    count = tf.shape(word_text, tf.int64)[0]
    characters = ragged_tensors.from_value_rows(values, word, count)
    words = tf.strings.unicode_encode(characters, "UTF-8")
    return ragged_tensors.from_value_rows(words, word_text, points.nrows())


def _starts(points: Tensor, text: Tensor) -> Tensor:
    """Return which characters start a word, bool [characters].

    Args:
        points: code points of all texts, int32 [characters].
        text: the number of each character's text.
    """
    kinds = _kinds(points)
    is_first: Tensor = tf.concat([tf.ones_like(text[:1], tf.bool), text[1:] != text[:-1]], axis=0)
    is_last: Tensor = tf.concat([is_first[1:], tf.ones_like(is_first[:1])], axis=0)
    before = tf.where(is_first, SPACE, _shifted(kinds, 1, SPACE))
    after = tf.where(is_last, SPACE, _shifted(kinds, -1, SPACE))
    is_space = kinds == SPACE
    # Of white space before a word, the last character stands alone, or, if it is " ", joins it.
    joined = (points == ord(" ")) & (after != SPACE)
    after_joined = ~is_first & tf.concat([tf.zeros_like(joined[:1]), joined[:-1]], axis=0)
    space_starts = is_first | (before != SPACE) | (~is_last & (after != SPACE))
    word_starts = is_first | ((before != kinds) & ~after_joined)
    starts = tf.where(is_space, space_starts, word_starts)
    return _split_contractions(points, text, starts & ~after_joined, before)


def _split_contractions(points: Tensor, text: Tensor, starts: Tensor, before: Tensor) -> Tensor:
    """Make words of contractions that follow no other punctuation and no space."""
    second, third = (_shifted(points, -n, 0) for n in (1, 2))
    # A text's end can't be inside, as the letters would be those of another text.
    second = tf.where(_shifted(text, -1, -1) == text, second, 0)
    third = tf.where(_shifted(text, -2, -1) == text, third, 0)
    begins = (points == _QUOTE) & starts
    short = begins & tf.reduce_any(second[:, tf.newaxis] == _SHORT, axis=1)
    pairs = [(second == first) & (third == last) for first, last in _LONG]
    long = begins & functools.reduce(tf.logical_or, pairs)
    inside = _shifted(short | long, 1, False) | _shifted(long, 2, False)
    follows = (_shifted(short, 2, False) | _shifted(long, 3, False)) & (
        _shifted(text, 1, -1) == text
    )
    return (starts & ~inside) | follows


def _kinds(points: Tensor) -> Tensor:
    """Return the class of each code point, int32 [characters]."""
    pages, kinds = (tf.constant(table) for table in _tables())
    return tf.gather(kinds, tf.gather(pages, points // PAGE) * PAGE + points % PAGE)


@functools.cache
def _tables() -> tuple[np.ndarray, np.ndarray]:
    """Return the page of each block of code points, and the classes in each page."""
    kinds = np.full(0x110000, OTHER, np.int32)
    for kind, table in (
        (LETTER, _characters.LETTERS),
        (NUMBER, _characters.NUMBERS),
        (SPACE, _characters.WHITE_SPACE),
    ):
        kinds[list(points_of(table))] = kind
    pages, page = np.unique(kinds.reshape(-1, PAGE), axis=0, return_inverse=True)
    return page.reshape(-1).astype(np.int32), pages.reshape(-1)


def _shifted(values: Tensor, by: int, fill: Any) -> Tensor:
    """Move values to the right by a number of places, or to the left if it is negative."""
    filling = tf.fill([tf.minimum(abs(by), tf.shape(values)[0])], tf.cast(fill, values.dtype))
    if by > 0:
        return tf.concat([filling, values[:-by]], axis=0)
    return tf.concat([values[-by:], filling], axis=0)
