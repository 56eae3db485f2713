"""Decode the logits of words to entities, in the TensorFlow graph.

Evaluation and exports run the same operations. TensorFlow is imported inside functions, as in
problems.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ftkeras.problems._words import WordOutputs
from ftkeras.support import tags

Tensor = Any
# Texts that are decoded together.
TEXTS = 1024
# The score of a transition that is not allowed: less than any sum of log-probabilities.
FORBIDDEN = np.float32(-1e30)


class Found(NamedTuple):
    """The entities of a batch of texts, ragged [batch, (entities)].

    Attributes:
        kinds: number of the type, integer.
        starts: in characters, integer.
        ends: in characters, integer.
        scores: mean probability of the tags, float32.
        tags: number of each word's tag, integer ragged [batch, (words)].
    """

    kinds: Tensor
    starts: Tensor
    ends: Tensor
    scores: Tensor
    tags: Tensor


@dataclass(frozen=True)
class Decoded:
    """The entities of one text, and the tags of its words."""

    kinds: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    scores: np.ndarray
    tags: np.ndarray

    def spans(self, types: Sequence[str]) -> list[tuple[str, int, int]]:
        """Return type, start and end of each entity."""
        columns = zip(self.kinds, self.starts, self.ends, strict=True)
        return [(types[int(kind)], int(start), int(end)) for kind, start, end in columns]


def find(
    names: Sequence[str],
    logits: Tensor,
    starts: Tensor,
    ends: Tensor,
    transitions: np.ndarray | None = None,
) -> Found:
    """Return the entities of the most probable tags that the scheme allows.

    Args:
        names: of the tags, O first.
        logits: of words, float ragged [batch, (words), tags].
        starts: of the words, integer ragged [batch, (words)].
        ends: of the words.
        transitions: scores of tags that follow each other, as `ftkeras.support.chain` has them. The
            scores of entities are then marginal probabilities, under all sequences that are
            allowed. None if there are none.
    """
    import tensorflow as tf

    flat = tf.nn.log_softmax(tf.cast(logits.flat_values, tf.float32))
    scores, allowed = logits.with_flat_values(flat), tags.allowed(names)
    best = viterbi(scores, allowed, transitions)
    chosen, kind_of = best.flat_values, tf.constant(_kinds(names))
    kinds = tf.gather(kind_of, chosen)
    likely = tf.exp(flat) if transitions is None else _marginals(scores, allowed, transitions)
    scores = tf.gather(likely, chosen, batch_dims=1)
    # An allowed sequence has no entity that does not begin with B or S.
    begins = tf.gather(tf.constant([name[0] in "BS" for name in names]), chosen)
    first = tf.reshape(tf.where(begins), [-1])
    words = tf.reshape(tf.where(kinds >= 0), [-1])
    entity = tf.gather(tf.cumsum(tf.cast(begins, tf.int32)) - 1, words)
    rows, count = tf.gather(best.value_rowids(), first), best.nrows()
    factory: Any = tf.RaggedTensor

    def ragged(values: Tensor) -> Tensor:
        return factory.from_value_rowids(values, rows, nrows=count, validate=False)

    return Found(
        kinds=ragged(tf.gather(kinds, first)),
        starts=ragged(tf.gather(starts.flat_values, first)),
        ends=ragged(tf.math.segment_max(tf.gather(ends.flat_values, words), entity)),
        scores=ragged(tf.math.segment_mean(tf.gather(scores, words), entity)),
        tags=best,
    )


def _marginals(scores: Tensor, allowed: np.ndarray, transitions: np.ndarray) -> Tensor:
    """Return the probability of each word's tags, float32 [words, tags]."""
    import tensorflow as tf

    from ftkeras.support import chain

    lengths, count = scores.row_lengths(), len(allowed) - 1
    dense = scores.to_tensor(shape=[None, None, count])
    weights = tf.constant(np.where(allowed, transitions, FORBIDDEN))
    probabilities = chain.marginals(dense, lengths, weights)
    factory: Any = tf.RaggedTensor
    return factory.from_tensor(probabilities, lengths=lengths).flat_values


def viterbi(scores: Tensor, allowed: np.ndarray, transitions: np.ndarray | None = None) -> Tensor:
    """Return the allowed sequence with the largest sum of scores for each row.

    tensorflow-text's ConstrainedSequence would do, but TensorFlow's C API, by which `predict` loads
    a SavedModel, refuses it: it has no shape inference.

    Args:
        scores: float32 ragged [batch, (steps), states].
        allowed: which state may follow which; see `support.tags.allowed`.
        transitions: scores of states that follow each other, of the same shape, or None.

    Returns:
        States, int32 ragged [batch, (steps)].
    """
    import tensorflow as tf

    count, lengths = len(allowed) - 1, scores.row_lengths()
    penalties = np.where(allowed, np.float32(0) if transitions is None else transitions, FORBIDDEN)
    # A step of padding, so that there is one.
    dense = tf.pad(scores.to_tensor(shape=[None, None, count]), [[0, 0], [0, 1], [0, 0]])
    steps = tf.shape(dense)[1]
    by_step = tf.transpose(dense, [1, 0, 2])
    same = tf.range(count)[tf.newaxis]

    def forward(step: Tensor, best: Tensor, pointers: Any) -> tuple:
        before = best[:, :, tf.newaxis] + penalties[:-1, :-1]
        pointer = tf.argmax(before, axis=1, output_type=tf.int32)
        after = tf.reduce_max(before, axis=1) + by_step[step]
        # Behind its end, a row stays in its last state.
        goes_on = (tf.cast(step, tf.int64) < lengths)[:, tf.newaxis]
        pointers = pointers.write(step, tf.where(goes_on, pointer, same))
        return step + 1, tf.where(goes_on, after, best), pointers

    def backward(step: Tensor, state: Tensor, states: Any, pointers: Any) -> tuple:
        states = states.write(step, state)
        return step - 1, tf.gather(pointers.read(step), state, batch_dims=1), states, pointers

    arrays = (tf.TensorArray(tf.int32, size=steps, clear_after_read=False) for _ in range(2))
    pointers, states = arrays
    begun = (
        1,
        by_step[0] + penalties[-1, :-1],
        pointers.write(0, tf.zeros_like(by_step[0], "int32")),
    )
    _, best, pointers = tf.while_loop(lambda step, *_: step < steps, forward, begun)
    last = tf.argmax(best + penalties[:-1, -1], axis=1, output_type=tf.int32)
    ended = steps - 1, last, states, pointers
    states = tf.while_loop(lambda step, *_: step >= 0, backward, ended)[2]
    factory: Any = tf.RaggedTensor
    return factory.from_tensor(tf.transpose(states.stack()), lengths=lengths)


def of_words(outputs: Tensor, starts: Tensor, ends: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the logits, starts and ends of the words only, ragged [batch, (words), …].

    Args:
        outputs: of all tokens, [batch, length, tags].
        starts: of the words that tokens begin, [batch, length]; below 0 of other tokens.
        ends: of the words.
    """
    import tensorflow as tf

    mask = starts >= 0
    logits, starts, ends = (tf.ragged.boolean_mask(part, mask) for part in (outputs, starts, ends))
    return logits, starts, ends


def dense(entities: Found, texts: Tensor, types: Sequence[str]) -> dict[str, Tensor]:
    """Return entities as tensors [batch, entities] and their `count`, with at least one column."""
    import tensorflow as tf

    # Characters, not a copy of its text for each entity. Invalid bytes are replaced.
    codes = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
    rows = entities.starts.value_rowids()
    before = tf.gather(codes.row_starts(), rows)
    starts, ends = entities.starts.flat_values, entities.ends.flat_values
    firsts, stops = (before + tf.cast(part, before.dtype) for part in (starts, ends))
    places = tf.ragged.range(firsts, stops)
    parts = tf.strings.unicode_encode(tf.gather(codes.flat_values, places), "UTF-8")
    names = tf.gather(tf.constant(list(types)), entities.kinds.flat_values)
    count = entities.starts.row_lengths()

    def padded(values: Tensor) -> Tensor:
        rows = entities.starts.with_flat_values(values).to_tensor()
        missing: Any = tf.maximum(1 - tf.shape(rows)[1], 0)
        return tf.pad(rows, [[0, 0], [0, missing]])

    return {
        "types": padded(names),
        "texts": padded(parts),
        "starts": padded(starts),
        "ends": padded(ends),
        "scores": padded(entities.scores.flat_values),
        "count": tf.cast(count, tf.int32),
    }


def decode(
    names: Sequence[str], outputs: WordOutputs, transitions: np.ndarray | None = None
) -> list[Decoded]:
    """Return the results of `find` for each text, as arrays."""
    pairs = list(outputs)
    decoded = []
    for first in range(0, len(pairs), TEXTS):
        chunk = pairs[first : first + TEXTS]
        entities = find(names, *_ragged(chunk, len(names)), transitions=transitions)
        parts = [part.to_list() for part in entities]
        decoded += [Decoded(*map(np.array, row)) for row in zip(*parts, strict=True)]
    return decoded


def _ragged(pairs: Sequence[tuple[np.ndarray, np.ndarray]], width: int) -> tuple:
    """Return the logits, starts and ends of words, ragged."""
    import tensorflow as tf

    lengths = [len(spans) for spans, _ in pairs]
    spans = np.concatenate([np.zeros((0, 2), np.int32), *(spans for spans, _ in pairs)])
    logits = np.concatenate([np.zeros((0, width), np.float32), *(own for _, own in pairs)])
    factory: Any = tf.RaggedTensor
    return tuple(
        factory.from_row_lengths(part, lengths) for part in (logits, spans[:, 0], spans[:, 1])
    )


def _kinds(names: Sequence[str]) -> list[int]:
    """Return the number of each tag's type, -1 for O."""
    types = tags.types(names)
    return [-1 if name == tags.OUTSIDE else types.index(name[2:]) for name in names]
