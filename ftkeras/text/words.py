"""The words of a text, which do not depend on the tokenizer."""

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from ftkeras.text import _characters
from ftkeras.text._spellings import points_of
from ftkeras.text.offsets import to_characters
from ftkeras.text.tokenizer import Tokenizer

# Outputs of the text layer: the start and the end of the word that each token begins.
WORDS = ("word_starts", "word_ends")
# The output of the text layer instead of these, if only spaces separate words.
NUMBERS = "word_numbers"
# The start and the end for a token that does not begin a word.
NO_WORD = -1
# The value minus the word's start or end, for a token that continues it, with `every_piece`.
CONTINUES = -2
# Kinds of characters; one that is ALONE is a word by itself.
OTHER, SPACE, ALONE = 0, 1, 2


def find_words(
    texts: tf.Tensor, *, spaced: bool = False
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Return the start and the end of each word of a text, in bytes.

    A word is a punctuation mark, a CJK ideograph, or as many other characters as stand together
    without a space. The classes of characters are BERT's.

    Args:
        texts: string [batch].
        spaced: whether only spaces separate words; see `split`.

    Returns:
        starts and ends, int64 ragged [batch, (words)].

    >>> starts, ends = find_words(tf.constant(["in the U.S. today"]))
    >>> starts.to_list(), ends.to_list()
    ([[0, 3, 7, 8, 9, 10, 12]], [[2, 6, 8, 9, 10, 11, 17]])
    """
    codes, offsets = tf.strings.unicode_decode_with_offsets(texts, "UTF-8", errors="replace")
    limits, kinds = _kinds(spaced)
    kind = tf.gather(kinds, tf.searchsorted(limits, codes.flat_values, side="right"))
    # Padded by a space on either side, all texts are one row.
    row = codes.value_rowids()
    kind = tf.concat([[SPACE], kind, [SPACE]], axis=0)
    is_new_text = tf.concat([[True], row[1:] != row[:-1], [True]], axis=0)
    splits = (kind[1:] != OTHER) | (kind[:-1] != OTHER) | is_new_text[: tf.size(kind) - 1]
    is_word = kind[1:-1] != SPACE
    sizes = tf.cast(tf.strings.length(texts), tf.int64)
    nexts = tf.concat([offsets.flat_values[1:], [0]], axis=0)
    nexts = tf.where(is_new_text[1:], tf.gather(sizes, row), nexts)
    starts = tf.ragged.boolean_mask(offsets, offsets.with_flat_values(is_word & splits[:-1]))
    ends = offsets.with_flat_values(nexts)
    ends = tf.ragged.boolean_mask(ends, offsets.with_flat_values(is_word & splits[1:]))
    return starts, ends


def split(text: str) -> list[str]:
    r"""Return the parts of a text between spaces, as `find_words` with `spaced` finds them.

    >>> split(" in the\tU.S. today ")
    ['in', 'the', 'U.S.', 'today']
    """
    return [word for word in _spaces().split(text) if word]


def frame_words(
    tokenizer: Tokenizer,
    *texts: tf.RaggedTensor,
    spans: Sequence[tf.RaggedTensor],
    names: Sequence[str] = WORDS,
) -> dict[str, tf.RaggedTensor]:
    """Return the rows of `tokenizer.frame`, with the words that the last text's tokens begin.

    Args:
        tokenizer: adds its special tokens.
        *texts: the ids of a pair's first text, if it is a pair, and those of the last text, int32
            ragged [batch, (tokens)].
        spans: what is known of the last text's tokens, such as their starts and ends, int32 of the
            same shape.
        names: what it is called.

    Returns:
        "token_ids" (and "segment_ids"), and of the same shape `names`, which are `NO_WORD` of
        tokens of other texts and of special tokens.
    """
    *first, last = texts
    # One frame for all of them: it holds the numbers of tokens from 1, negative, which no id is.
    numbers = tf.range(1, tf.size(last.flat_values) + 1)
    marked = last.with_flat_values(-numbers)
    framed = tokenizer.frame(first[0], marked) if first else tokenizer.frame(marked)
    row = framed["token_ids"]
    number = tf.maximum(-row.flat_values, 0)

    def of_token(part: tf.RaggedTensor, otherwise: int) -> tf.Tensor:
        return tf.gather(tf.concat([[otherwise], part.flat_values], axis=0), number)

    ids = tf.maximum(row.flat_values, of_token(last, 0))
    words = {
        name: row.with_flat_values(of_token(part, NO_WORD))
        for name, part in zip(names, spans, strict=True)
    }
    return {**framed, "token_ids": row.with_flat_values(ids), **words}


def word_spans(
    texts: tf.Tensor,
    starts: tf.RaggedTensor,
    ends: tf.RaggedTensor,
    *,
    every_piece: bool = False,
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Return the word of which each token is the first, in characters of its text.

    A token that reads several words is the first of the first of them only, if it is that.

    Args:
        texts: string [batch].
        starts: of the tokens, in bytes, integer ragged [batch, (tokens)].
        ends: of the tokens. They may include spaces around the token.
        every_piece: whether a token that continues a word gets `CONTINUES` minus its start or end.

    Returns:
        starts and ends of words, int32 ragged [batch, (tokens)]; `NO_WORD` of other tokens.

    >>> texts = tf.constant(["in the U.S."])
    >>> tokens = ([[0, 2, 4, 6, 8, 10]], [[2, 4, 6, 8, 10, 11]])  # in, th, e, U, .S, .
    >>> [part.to_list() for part in word_spans(texts, *map(tf.ragged.constant, tokens))]
    [[[0, 3, -1, 7, 8, 10]], [[2, 6, -1, 8, 9, 11]]]
    >>> word_spans(texts, *map(tf.ragged.constant, tokens), every_piece=True)[0].to_list()
    [[0, 3, -5, 7, 8, 10]]
    """
    words = find_words(texts)
    read = _read(texts, words, (starts, ends))

    def scatter(part: tf.RaggedTensor) -> tf.RaggedTensor:
        characters = tf.cast(to_characters(texts, part).flat_values, tf.int32)
        values = tf.fill([tf.size(starts.flat_values)], NO_WORD)
        if every_piece:
            continued = CONTINUES - tf.gather(characters, read.words)
            values = tf.tensor_scatter_nd_update(values, read.tokens[:, tf.newaxis], continued)
        values = tf.tensor_scatter_nd_update(
            values, read.firsts[:, tf.newaxis], tf.gather(characters, read.distinct)
        )
        return starts.with_flat_values(values)

    return scatter(words[0]), scatter(words[1])


def word_numbers(
    texts: tf.Tensor, starts: tf.RaggedTensor, ends: tf.RaggedTensor
) -> tf.RaggedTensor:
    """Return the number of the word of which each token is the first; only spaces separate words.

    Args:
        texts: string [batch].
        starts: of the tokens, in bytes, integer ragged [batch, (tokens)].
        ends: of the tokens. They may include spaces around the token.

    Returns:
        Numbers from 0 in each text, int32 ragged [batch, (tokens)]; `NO_WORD` of other tokens.

    >>> texts = tf.constant(["in the U.S."])
    >>> tokens = ([[0, 2, 4, 6, 8, 10]], [[2, 4, 6, 8, 10, 11]])  # in, th, e, U, .S, .
    >>> word_numbers(texts, *map(tf.ragged.constant, tokens)).to_list()
    [[0, 1, -1, 2, -1, -1]]
    """
    words = find_words(texts, spaced=True)
    read = _read(texts, words, (starts, ends))
    before = tf.gather(words[0].row_starts(), tf.gather(words[0].value_rowids(), read.distinct))
    values = tf.fill([tf.size(starts.flat_values)], NO_WORD)
    numbers = tf.cast(read.distinct - before, tf.int32)
    return starts.with_flat_values(
        tf.tensor_scatter_nd_update(values, read.firsts[:, tf.newaxis], numbers)
    )


class _Read(NamedTuple):
    """Tokens of some texts and the words that they read; both are numbered through all texts.

    Attributes:
        tokens: those that read a word, int32 [read].
        words: the word that each of them reads, int32 [read].
        distinct: these words, each once, int64 [distinct].
        firsts: the first token that reads each of these, int32 [distinct].
    """

    tokens: tf.Tensor
    words: tf.Tensor
    distinct: tf.Tensor
    firsts: tf.Tensor


def _read(
    texts: tf.Tensor,
    words: tuple[tf.RaggedTensor, tf.RaggedTensor],
    tokens: tuple[tf.RaggedTensor, tf.RaggedTensor],
) -> _Read:
    """Return which tokens read which words; both are given by their starts and ends in bytes."""
    # On one axis for all texts, each text's bytes come after those of the texts before it.
    sizes = tf.cast(tf.strings.length(texts), tf.int64)
    base = tf.cumsum(sizes + 1, exclusive=True)
    firsts, lasts = (_shifted(part, base) for part in words)
    begins, stops = (_shifted(part, base) for part in tokens)
    # The first word that ends after the token begins; the token reads it if they overlap.
    word = tf.searchsorted(lasts, begins, side="right")
    overlaps = stops > tf.gather(tf.concat([firsts, [tf.int64.max]], 0), word)
    read = tf.cast(tf.reshape(tf.where(overlaps), [-1]), tf.int32)
    word_read = tf.gather(word, read)
    first_token = tf.math.unsorted_segment_min(read, word_read, tf.size(firsts))
    distinct = tf.reshape(tf.where(first_token < tf.size(begins)), [-1])
    return _Read(read, word_read, distinct, tf.gather(first_token, distinct))


def _shifted(offsets: tf.RaggedTensor, base: tf.Tensor) -> tf.Tensor:
    return tf.cast(offsets.flat_values, tf.int64) + tf.gather(base, offsets.value_rowids())


@functools.cache
def _kinds(spaced: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the code points at which the kind of character changes, and the kinds between."""
    kinds = np.full(0x110000, OTHER, np.int32)
    kinds[list(points_of(_characters.SPACES))] = SPACE
    if not spaced:
        kinds[list(points_of(_characters.PUNCTUATION + _characters.CHINESE))] = ALONE
    limits = np.flatnonzero(np.diff(kinds)) + 1
    return limits.astype(np.int32), kinds[np.concatenate([[0], limits])]


@functools.cache
def _spaces() -> re.Pattern[str]:
    return re.compile(f"[{''.join(map(chr, points_of(_characters.SPACES)))}]+")
