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
# The first merges make no longer tokens than this. More steps of reach would cost more than save.
_SHORT = 12


class Merges(tf.Module):
    """The merges of byte-pair encoding: which pairs of tokens become one, the first ones first.

    In each round, every word merges all occurrences of its pair with the lowest rank, from left to
    right. That equals one merge at a time, because a merge creates no pair of lower rank. A round
    looks up only the pairs that the one before has created.

    A long word also merges every pair that has the lowest rank within its reach to each side: as
    many tokens as any token has bytes that a merge of lower rank makes. Only such a merge could
    take one of the pair's tokens away. Its token would lie within the reach, and so would the first
    pair that becomes a part of it, which has a rank even lower.
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
        self._reaches = _reaches([len(left + right) for left, right in merges])

    def __call__(self, rows: tf.RaggedTensor) -> tf.RaggedTensor:
        """Return the merged ids of words, int64 ragged [words, (tokens)].

        Args:
            rows: the ids of the bytes of words, int64 ragged [words, (bytes)].
        """
        is_long = rows.row_lengths() > _LONG
        parts = []
        for chosen, reaches in ((~is_long, ()), (is_long, self._reaches)):
            lengths = tf.where(chosen, rows.row_lengths(), 0)
            ids = tf.boolean_mask(rows.flat_values, tf.gather(chosen, rows.value_rowids()))
            part = ragged_tensors.from_row_lengths(ids, lengths)
            parts.append(self._merge(part, reaches))
        return cast(tf.RaggedTensor, tf.concat(parts, axis=1))

    def _merge(self, rows: tf.RaggedTensor, reaches: Sequence[tuple[int, int]]) -> tf.RaggedTensor:
        ids, words, count = rows.flat_values, rows.value_rowids(), rows.nrows()
        ranks = self._ranks_at(ids, words, tf.range(tf.size(ids)))

        def body(ids: Tensor, words: Tensor, ranks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            lowest = tf.math.unsorted_segment_min(ranks, words, count)
            merges = ranks == tf.gather(lowest, words)
            for reach, limit in reaches:
                is_first = (ranks < limit) & (ranks == _lowest_within(ranks, reach))
                merges |= _of_whole_runs(is_first, ranks)
            merges = _without_overlaps(merges & (ranks < _NEVER))
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


def _reaches(lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Return (length, how many of the first merges make no token that is longer), for two."""
    reaches = []
    for reach in (_SHORT, max(lengths, default=0)):
        limit = next((rank for rank, n in enumerate(lengths) if n > reach), len(lengths))
        reaches.append((reach, limit))
    return reaches


def _lowest_within(ranks: Tensor, reach: int) -> Tensor:
    """Return the lowest rank within at least `reach` places to each side, int64 [places]."""
    width, lowest = 1, ranks
    while width <= 2 * reach:
        beyond = tf.fill([width], tf.constant(_NEVER, tf.int64))
        lowest = tf.minimum(lowest, tf.concat([lowest, beyond], axis=0)[width:])
        width *= 2
    before = tf.fill([width // 2], tf.reduce_min(lowest[: width // 2 + 1]))
    return tf.concat([before, lowest], axis=0)[: tf.size(ranks)]


def _of_whole_runs(merges: Tensor, ranks: Tensor) -> Tensor:
    """Keep those whose overlapping neighbors of the same rank, as in "aaaa", are all merges."""
    begins: Tensor = tf.concat([tf.ones_like(merges[:1]), ranks[1:] != ranks[:-1]], axis=0)
    run = tf.cumsum(tf.cast(begins, tf.int32)) - 1
    are_all = tf.math.segment_min(tf.cast(merges, tf.int32), run)
    return tf.cast(tf.gather(are_all, run), tf.bool)


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
