"""Merge bytes into the tokens of byte-pair encoding, in the TensorFlow graph."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import tensorflow as tf

from ftkeras.text import ragged_tensors

Tensor = Any
_NEVER = np.iinfo(np.int64).max
# Words with more bytes are merged apart from others, so that these need not wait for them.
_LONG = 32


class Merges(tf.Module):
    """The merges of byte-pair encoding: which pairs of tokens become one, the first ones first.

    In each round, every word merges all occurrences of its pair with the lowest rank, from left to
    right. That equals one merge at a time, because a merge creates no pair of lower rank. A round
    looks up only the pairs that the one before has created.
    Source: Sennrich et al., 2016, https://arxiv.org/abs/1508.07909.

    Args:
        ids: each token's id.
        merges: the pairs of tokens; the rank of a pair is its place.

    Raises:
        ValueError: if a token is not in `ids`, or a pair comes before its own parts are made.
    """

    def __init__(self, ids: Mapping[str, int], merges: Sequence[tuple[str, str]]):
        super().__init__()
        _check(ids, merges)
        self._size = len(ids)
        keys = [ids[left] * self._size + ids[right] for left, right in merges]
        # Without merges, one that no pair of ids has keeps the table from being empty.
        keys = np.array(keys or [-1], np.int64)
        self._merged = np.array([ids[a + b] for a, b in merges] or [0], np.int64)
        ranks = tf.lookup.KeyValueTensorInitializer(keys, np.arange(len(keys), dtype=np.int64))
        self._ranks = tf.lookup.StaticHashTable(ranks, default_value=_NEVER)

    def __call__(self, rows: tf.RaggedTensor) -> tf.RaggedTensor:
        """Return the merged ids of words, int64 ragged [words, (tokens)].

        Args:
            rows: the ids of the bytes of words, int64 ragged [words, (bytes)].
        """
        is_long = rows.row_lengths() > _LONG
        parts = []
        for chosen in (~is_long, is_long):
            lengths = tf.where(chosen, rows.row_lengths(), 0)
            ids = tf.boolean_mask(rows.flat_values, tf.gather(chosen, rows.value_rowids()))
            part = ragged_tensors.from_row_lengths(ids, lengths)
            parts.append(self._merge(part))
        return cast(tf.RaggedTensor, tf.concat(parts, axis=1))

    def _merge(self, rows: tf.RaggedTensor) -> tf.RaggedTensor:
        ids, words, count = rows.flat_values, rows.value_rowids(), rows.nrows()
        ranks = self._ranks_at(ids, words, tf.range(tf.size(ids)))

        def body(ids: Tensor, words: Tensor, ranks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            lowest = tf.math.unsorted_segment_min(ranks, words, count)
            merges = (ranks < _NEVER) & (ranks == tf.gather(lowest, words))
            merges = _without_overlaps(merges)
            last = len(self._merged) - 1
            ids = tf.where(merges, tf.gather(self._merged, tf.minimum(ranks, last)), ids)
            goes: Tensor = tf.concat([tf.zeros_like(merges[:1]), merges[:-1]], axis=0)
            kept = tf.where(~goes)[:, 0]
            ids, words, ranks, merges = (
                tf.gather(values, kept) for values in (ids, words, ranks, merges)
            )
            is_new = merges | tf.concat([merges[1:], tf.zeros_like(merges[:1])], axis=0)
            at = tf.where(is_new)[:, 0]
            new_ranks = self._ranks_at(ids, words, tf.cast(at, tf.int32))
            return ids, words, tf.tensor_scatter_nd_update(ranks, at[:, tf.newaxis], new_ranks)

        ids, words, _ = tf.while_loop(
            lambda ids, words, ranks: tf.reduce_any(ranks < _NEVER),
            body,
            (ids, words, ranks),
            shape_invariants=(tf.TensorShape([None]),) * 3,
        )
        return ragged_tensors.from_value_rows(ids, words, count)

    def _ranks_at(self, ids: Tensor, words: Tensor, at: Tensor) -> Tensor:
        """Return the rank of the pair that starts at each place, int64 [places]."""
        right = tf.minimum(at + 1, tf.size(ids) - 1)
        keys = tf.gather(ids, at) * self._size + tf.gather(ids, right)
        is_pair = (at < right) & (tf.gather(words, at) == tf.gather(words, right))
        return tf.where(is_pair, self._ranks.lookup(keys), _NEVER)


def _without_overlaps(merges: Tensor) -> Tensor:
    """Keep the first, the third and so on of each run of pairs that overlap."""
    place = tf.range(tf.size(merges))
    follows: Tensor = tf.concat([tf.zeros_like(merges[:1]), merges[:-1]], axis=0)
    begins = merges & ~follows
    run = tf.cumsum(tf.cast(begins, tf.int32)) - 1
    first = tf.gather(tf.concat([tf.boolean_mask(place, begins), [0]], axis=0), tf.maximum(run, 0))
    return merges & ((place - first) % 2 == 0)


def _check(ids: Mapping[str, int], merges: Sequence[tuple[str, str]]) -> None:
    made: dict[str, int] = {}
    for rank, (left, right) in enumerate(merges):
        for token in (left, right, left + right):
            if token not in ids:
                raise ValueError(
                    f"`merges` must consist of tokens in `vocabulary`. Received: {token!r}."
                )
        made[left + right] = rank
    for rank, (left, right) in enumerate(merges):
        if max(made.get(left, -1), made.get(right, -1)) >= rank:
            raise ValueError(
                "`merges` must come after the merges that make their parts. "
                f"Received: {left!r} and {right!r} at {rank}."
            )
