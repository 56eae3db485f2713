"""Normalize texts as ALBERT's tokenizer does before SentencePiece's own rules."""

import functools
import unicodedata
from typing import Any, NamedTuple

import tensorflow as tf

from ftkeras.text import _characters, ragged_tensors
from ftkeras.text._respelling import look_up
from ftkeras.text._spellings import NOTHING, Spellings, lower_case, pairs, points_of, to_tables

Ragged = tf.RaggedTensor
Tensor = Any
_QUOTES, _QUOTE = (ord("`"), ord("'")), ord('"')


class Normalized(NamedTuple):
    """Normalized texts, and the source of each of their characters.

    Attributes:
        points: code points, int32 ragged [batch, (characters)].
        source: the number of the character that each of them comes from, over all texts; the
            second of a pair for a quotation mark, as in `tokenizers`.
    """

    points: Ragged
    source: Tensor


@functools.cache
def compatible_spellings(lowercase: bool, strip_accents: bool) -> Spellings:
    """Return the tables of the normalizers NFKD, StripAccents and Lowercase of `tokenizers`.

    As all marks are removed, there is no canonical reordering.

    Args:
        lowercase: whether to lower-case the text, character by character.
        strip_accents: whether to decompose the text (NFKD) and remove its marks.
    """
    accents = set(points_of(_characters.ACCENTS)) if strip_accents else set()
    lower = lower_case() if lowercase else {}
    steps = _decompositions() if strip_accents else {}
    spelled = {}
    for point in {*steps, *lower, *accents}:
        kept = [unit for unit in steps.get(point, (point,)) if unit not in accents]
        spelled[point] = tuple(small for unit in kept for small in lower.get(unit, (unit,)))
    return to_tables(spelled, classes={})


def normalize(points: Ragged, tables: Spellings) -> Normalized:
    """Replace pairs of ` and of ' by a quotation mark, then each character as the tables say.

    Args:
        points: code points of texts, int32 ragged [batch, (characters)].
        tables: of `compatible_spellings`.
    """
    row, flat = points.value_rowids(), points.flat_values
    is_first, is_second = _quotes(row, flat)
    _, units = look_up(tables, tf.where(is_first, _QUOTE, flat))
    is_unit = (units != NOTHING) & ~is_second[:, tf.newaxis]
    source = tf.where(is_unit)[:, 0]
    flat = tf.boolean_mask(units, is_unit)
    normalized = ragged_tensors.from_value_rows(flat, tf.gather(row, source), points.nrows())
    return Normalized(normalized, source + tf.cast(tf.gather(is_first, source), tf.int64))


def _quotes(row: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Return which characters are the first, and the second, of a pair of ` or of '.

    In a run of the same character, the first two are a pair, then the next two, and so on.
    """
    new = (row[1:] != row[:-1]) | (points[1:] != points[:-1])
    starts = tf.where(tf.concat([tf.ones_like(points[:1], tf.bool), new], axis=0))[:, 0]
    numbers = tf.range(tf.size(points, tf.int64))
    run = tf.searchsorted(starts, numbers, side="right") - 1
    is_odd = (numbers - tf.gather(starts, run)) % 2 == 1
    is_quote = (points == _QUOTES[0]) | (points == _QUOTES[1])
    is_second = is_quote & is_odd
    is_first = tf.concat([is_second[1:], tf.zeros_like(is_second[:1])], axis=0)
    return is_first, is_second


def _decompositions() -> dict[int, tuple]:
    # ucd_3_2_0 is Unicode 3.2 in every Python version; the table has what came later.
    nfkd = functools.partial(unicodedata.ucd_3_2_0.normalize, "NFKD")
    every = (p for p in range(0xA0, 0x30000) if not 0xD800 <= p <= 0xDFFF)
    changed = ((point, nfkd(chr(point))) for point in every)
    decomposed = {point: tuple(map(ord, text)) for point, text in changed if text != chr(point)}
    return decomposed | pairs(_characters.COMPATIBLE)
