"""Texts as code points with their sources, normalized, and split at added tokens."""

import functools
import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text

from ftkeras.text import ragged_tensors
from ftkeras.text._added_tokens import AddedToken, literal_pattern
from ftkeras.text._alignment import character_ends
from ftkeras.text._respelling import canonical_order

Ragged = tf.RaggedTensor
Tensor = Any


class Parts(NamedTuple):
    """Parts of texts, in order; together they are the texts.

    Attributes:
        points: the parts' code points, int32 ragged [parts, (characters)].
        ids: int32 [parts]: the id of a part that is an added token, or -1.
        texts: int64 [parts]: the number of the text that each part belongs to.
        count: the number of texts.
        starts: int64 [characters]: where the source of each code point starts in its text, in
            bytes.
        ends: where it ends.
    """

    points: Ragged
    ids: Tensor
    texts: Tensor
    count: Tensor
    starts: Tensor
    ends: Tensor

    def by_text(self, ids: Ragged) -> Ragged:
        """Return the ids of whole texts, from those of parts that are no added tokens."""
        is_added = self.ids >= 0
        lengths = tf.cast(is_added, tf.int64)
        added = ragged_tensors.from_row_lengths(tf.boolean_mask(self.ids, is_added), lengths)
        both = tf.concat([added, ids], axis=1)
        rows = ragged_tensors.from_value_rows(both, self.texts, self.count)
        return rows.merge_dims(1, 2)

    @property
    def others(self) -> Ragged:
        """The code points of parts that are no added tokens; the added tokens are empty."""
        is_other = tf.gather(self.ids < 0, self.points.value_rowids())
        return tf.ragged.boolean_mask(self.points, self.points.with_flat_values(is_other))


def whole(texts: Tensor) -> Parts:
    """Return texts, string [batch], as one part each. Bytes that are not UTF-8 become U+FFFD."""
    points, starts = tf.strings.unicode_decode_with_offsets(texts, "UTF-8", errors="replace")
    count, ends = points.nrows(), character_ends(texts, starts)
    ids = tf.fill([count], -1)
    return Parts(points, ids, tf.range(count), count, starts.flat_values, ends.flat_values)


def composed(parts: Parts) -> Parts:
    """Normalize each part to Unicode's form NFC, with the Unicode version of the op's ICU.

    The sources of a character that NFC changes are all characters that it may depend on: those
    from a base to its last combining mark.
    """
    flat, row = parts.points.flat_values, parts.points.value_rowids()
    cluster = tf.cumsum(tf.cast(_cluster_starts(flat, row), tf.int64)) - 1
    count = tf.reduce_max(tf.concat([cluster, [-1]], axis=0)) + 1
    sources = ragged_tensors.from_value_rows(flat, cluster, count)
    texts = tf.strings.unicode_encode(sources, "UTF-8")
    # The op sorts marks itself, but in quadratic time.
    ordered = tf.strings.unicode_encode(sources.with_flat_values(_ordered(flat, row)), "UTF-8")
    normal = tf_text.normalize_utf8(ordered, "NFC")
    points = tf.strings.unicode_decode(normal, "UTF-8")
    at, changed = points.value_rowids(), tf.gather(normal != texts, points.value_rowids())
    begin, limit = (tf.gather(part, at) for part in (sources.row_starts(), sources.row_limits()))
    own = begin + tf.range(tf.size(at, tf.int64)) - tf.gather(points.row_starts(), at)
    first, last = tf.where(changed, begin, own), tf.where(changed, limit - 1, own)
    rows = tf.gather(row, begin)
    normalized = ragged_tensors.from_value_rows(points.flat_values, rows, parts.points.nrows())
    starts, ends = tf.gather(parts.starts, first), tf.gather(parts.ends, last)
    return parts._replace(points=normalized, starts=starts, ends=ends)


def _cluster_starts(points: Tensor, row: Tensor) -> Tensor:
    """Return a mask of characters before which a cut does not change NFC, bool [characters]."""
    marks, changing = (_is_in(points, table) for table in _composing())
    none, any_ = tf.zeros_like(marks[:1]), tf.ones_like(marks[:1])
    is_first = tf.concat([any_, row[1:] != row[:-1]], axis=0)
    before = tf.concat([none, (marks | changing)[:-1]], axis=0)
    after = tf.concat([marks[1:], none], axis=0)
    return is_first | (~marks & (changing | before | after))


def _ordered(points: Tensor, row: Tensor) -> Tensor:
    """Return the characters with each run of combining marks in canonical order."""
    marks, classes = _combining_classes()
    place = tf.minimum(tf.searchsorted(marks, points), len(marks) - 1)
    found = tf.where(tf.gather(marks, place) == points, tf.gather(classes, place), 0)
    return tf.cond(  # most texts have no marks, and sorting takes longer than all the rest
        tf.reduce_any(found > 0),
        lambda: tf.gather(points, canonical_order(row, found)),
        lambda: points,
    )


@functools.cache
def _combining_classes() -> tuple[np.ndarray, np.ndarray]:
    """Return the combining marks, and the canonical combining class of each."""
    marks = [point for point in range(0x110000) if unicodedata.combining(chr(point))]
    classes = [unicodedata.combining(chr(point)) for point in marks]
    return np.array(marks, np.int32), np.array(classes, np.int32)


def _is_in(points: Tensor, table: np.ndarray) -> Tensor:
    place = tf.minimum(tf.searchsorted(table, points), len(table) - 1)
    return tf.gather(table, place) == points


@functools.cache
def _composing() -> tuple[np.ndarray, np.ndarray]:
    """Return the characters that NFC may join with earlier ones, and those it changes alone."""
    marks, changing = {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}, set()
    for point in range(0x110000):
        character = chr(point)
        if unicodedata.combining(character):
            marks.add(point)
        parts = unicodedata.decomposition(character)
        if not parts or parts[0] == "<":
            continue
        normal = unicodedata.normalize("NFC", character)
        if normal != character:  # U+0F73 and its like become marks, but are none themselves
            (marks if unicodedata.combining(normal[0]) else changing).add(point)
        else:
            marks.add(int(parts.split()[-1], 16))
    changing -= marks
    return np.array(sorted(marks), np.int32), np.array(sorted(changing), np.int32)


class Splitter(tf.Module):
    """Split parts at added tokens, at the leftmost first and there at the longest.

    Source: `tokenizers`, AddedVocabulary.

    Args:
        tokens: not empty, without control characters.
    """

    def __init__(self, tokens: Sequence[AddedToken]):
        super().__init__()
        self._pattern = literal_pattern([token.content for token in tokens])
        keys = tf.constant([token.content for token in tokens])
        values = tf.constant([token.id for token in tokens], tf.int32)
        initializer = tf.lookup.KeyValueTensorInitializer(keys, values)
        self._ids = tf.lookup.StaticHashTable(initializer, default_value=-1)

    def __call__(self, parts: Parts) -> Parts:
        """Return the parts split further; added tokens among them stay what they are."""
        # The op stops at a NUL, which no added token contains.
        points = tf.where(parts.points.flat_values == 0, 1, parts.points.flat_values)
        texts = tf.strings.unicode_encode(parts.points.with_flat_values(points), "UTF-8")
        split = tf_text.regex_split(texts, self._pattern, self._pattern)
        row = split.value_rowids()
        own, before = self._ids.lookup(split.flat_values), tf.gather(parts.ids, row)
        lengths = tf.strings.length(split.flat_values, unit="UTF8_CHAR")
        flat = parts.points.flat_values
        return parts._replace(
            points=ragged_tensors.from_row_lengths(flat, tf.cast(lengths, tf.int64)),
            ids=tf.where(own >= 0, own, before),
            texts=tf.gather(parts.texts, row),
        )
