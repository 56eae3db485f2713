"""Find the best spans of contexts, in the TensorFlow graph.

Evaluation and exports run the same operations. This module imports TensorFlow inside functions, as
all modules of this folder do.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ftkeras.problems._contexts import ContextOutputs, Window

Tensor = Any
# Windows that are searched together.
WINDOWS = 32
# The score of a span that is not valid: less than any sum of two logits.
FORBIDDEN = np.float32(-1e30)


class Found(NamedTuple):
    """The best spans of each context, the best first, [batch, spans].

    Attributes:
        starts, ends: in characters, int32; 0 where there are fewer spans.
        scores: probability among all valid spans, and no answer if there may be none, float32.
        logits: sum of the logits of start and end, float32.
        count: how many spans there are, int32 [batch].
        null: the sum of the logits of no answer, float32 [batch].
        null_score: the probability of no answer, float32 [batch]; 0 if there must be one.
    """

    starts: Tensor
    ends: Tensor
    scores: Tensor
    logits: Tensor
    count: Tensor
    null: Tensor
    null_score: Tensor


class Place(NamedTuple):
    """The places of the best span of each context and of the surest no-answer; all [batch].

    Attributes:
        window: the row of the span, int32; 0 if there is none.
        first, last: its tokens in that row, int32.
        logit: the sum of the logits of start and end, float32; `FORBIDDEN` if there is none.
        null: the sum of the logits of no answer, float32.
        null_window: the first row with that sum, int32.
    """

    window: Tensor
    first: Tensor
    last: Tensor
    logit: Tensor
    null: Tensor
    null_window: Tensor


def find(
    logits: Tensor,
    starts: Tensor,
    ends: Tensor,
    first_pieces: Tensor,
    counts: Tensor,
    *,
    longest: int,
    n_best: int,
    no_answer: bool,
) -> Found:
    """Return the best valid spans of each context, of all windows together.

    The score of a span from token i to token j of a window is start_i + end_j. It is valid if
    i <= j < i + longest, both are tokens of the context, and i has no more context on its shorter
    side in any other window. All valid spans are compared. No answer has the score start_0 + end_0,
    the smallest of all windows.
    Source: Devlin et al., 2019, run_squad.py, https://github.com/google-research/bert.

    Args:
        logits: float [windows, length, 2].
        starts: where tokens are in the context, in characters, integer [windows, length].
        ends: of the tokens; below 0 of tokens that are not of the context.
        first_pieces: how many tokens of the context are before each window, integer [windows].
        counts: the windows of each context, at least 1, integer [batch].
        longest: the most tokens of a span.
        n_best: the most spans to return.
        no_answer: whether a question may have no answer.
    """
    import tensorflow as tf

    logits = tf.cast(logits, tf.float32)
    most = tf.minimum(longest, tf.shape(logits)[1])  # no span is longer than its row
    text = tf.repeat(tf.range(tf.size(counts)), counts)
    sums = _sums(logits, ends, first_pieces, counts, text, most)
    null = tf.math.segment_min(logits[:, 0, 0] + logits[:, 0, 1], text)
    total = _log_sum(sums, text)
    if no_answer:
        total = tf.reduce_logsumexp(tf.stack([total, null]), axis=0)
    best, window, first, final = _best_spans(sums, text, tf.size(counts), n_best, most)
    valid = best > FORBIDDEN / 2

    def characters(part: Tensor, token: Tensor) -> Tensor:
        places = tf.gather_nd(part, tf.stack([window, token], axis=-1))
        return tf.where(valid, tf.cast(places, tf.int32), 0)

    begin = characters(starts, first)
    return Found(
        starts=begin,
        ends=tf.maximum(characters(ends, final), begin),
        scores=tf.where(valid, tf.exp(best - total[:, tf.newaxis]), 0),
        logits=best,
        count=tf.reduce_sum(tf.cast(valid, tf.int32), axis=1),
        null=null,
        null_score=tf.exp(null - total) if no_answer else tf.zeros_like(null),
    )


def locate(
    logits: Tensor,
    starts: Tensor,
    ends: Tensor,
    first_pieces: Tensor,
    counts: Tensor,
    *,
    longest: int,
    n_best: int,
    no_answer: bool,
) -> Place:
    """Return the window and the tokens of the best span; see `find`."""
    import tensorflow as tf

    logits = tf.cast(logits, tf.float32)
    most = tf.minimum(longest, tf.shape(logits)[1])  # no span is longer than its row
    text = tf.repeat(tf.range(tf.size(counts)), counts)
    sums = _sums(logits, ends, first_pieces, counts, text, most)
    best = _best_spans(sums, text, tf.size(counts), 1, most)
    nulls = logits[:, 0, 0] + logits[:, 0, 1]
    null = tf.math.segment_min(nulls, text)
    rows = tf.where(nulls == tf.gather(null, text), tf.range(tf.size(nulls)), tf.int32.max)
    logit, window, first, last = (part[:, 0] for part in best)
    return Place(window, first, last, logit, null, tf.math.segment_min(rows, text))


def _sums(
    logits: Tensor,
    ends: Tensor,
    first_pieces: Tensor,
    counts: Tensor,
    text: Tensor,
    longest: Tensor,
) -> Tensor:
    """Return the score of each span of each window, [windows, length * longest].

    The spans of a window are in the order of their first token and then of their length. The score
    of one that is not valid is `FORBIDDEN`.
    """
    import tensorflow as tf

    inside = ends >= 0
    may_start = _has_most_context(inside, first_pieces, text, counts)
    start = tf.where(may_start, logits[..., 0], FORBIDDEN)
    end = tf.where(inside, logits[..., 1], FORBIDDEN)
    # Behind the last token nothing is valid.
    length = tf.shape(logits)[1]
    end = tf.pad(end, [[0, 0], [0, longest]], constant_values=FORBIDDEN)
    last = tf.range(length)[:, tf.newaxis] + tf.range(longest)
    sums = start[:, :, tf.newaxis] + tf.gather(end, last, axis=1)
    sums = tf.reshape(sums, [-1, length * longest])
    return tf.where(sums > FORBIDDEN / 2, sums, FORBIDDEN)


def _best_spans(
    sums: Tensor, text: Tensor, batch: Tensor, n_best: int, longest: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return score, window, and first and last token of the best spans, each [batch, n_best]."""
    import tensorflow as tf

    width = tf.shape(sums)[1]
    best, place = _best(sums, text, batch, n_best)
    window, place = place // width, place % width
    first = place // longest
    return best, window, first, tf.minimum(first + place % longest, width // longest - 1)


def _has_most_context(inside: Tensor, first_pieces: Tensor, text: Tensor, counts: Tensor) -> Tensor:
    """Return which tokens have the most context in their window, bool [windows, length].

    The context of a token is the smaller number of tokens of the context before and behind it, plus
    a hundredth of the window's number; of equal windows the first counts.
    """
    import tensorflow as tf

    number = tf.cumsum(tf.cast(inside, tf.int32), axis=1)
    size = number[:, -1:]
    context = tf.minimum(number - 1, size - number)
    score = tf.cast(context, tf.float32) + 0.01 * tf.cast(size, tf.float32)
    # Each piece of each context gets a number of its own.
    firsts = tf.cast(first_pieces, tf.int32)[:, tf.newaxis]
    pieces = tf.math.segment_max(firsts[:, 0] + size[:, 0], text)
    base = tf.gather(tf.cumsum(pieces, exclusive=True), text)[:, tf.newaxis]
    piece = tf.boolean_mask(base + firsts + number - 1, inside)
    score, total = tf.boolean_mask(score, inside), tf.reduce_sum(pieces)
    window = tf.boolean_mask(
        tf.repeat(tf.range(tf.shape(inside)[0])[:, None], tf.shape(inside)[1], 1), inside
    )
    most = tf.gather(tf.math.unsorted_segment_max(score, piece, total), piece)
    rank = tf.where(score == most, window, tf.int32.max)
    chosen = window == tf.gather(tf.math.unsorted_segment_min(rank, piece, total), piece)
    places = tf.where(inside)
    return tf.scatter_nd(places, tf.cast(chosen, tf.int32), tf.shape(inside, tf.int64)) > 0


def _log_sum(sums: Tensor, text: Tensor) -> Tensor:
    """Return the logarithm of the sum of exp over all windows of each text, [batch]."""
    import tensorflow as tf

    by_window = tf.reduce_logsumexp(sums, axis=1)
    largest = tf.math.segment_max(by_window, text)
    scaled = tf.exp(by_window - tf.gather(largest, text))
    return largest + tf.math.log(tf.math.segment_sum(scaled, text))


def _best(sums: Tensor, text: Tensor, batch: Tensor, n_best: int) -> tuple[Tensor, Tensor]:
    """Return the largest sums of each text and their places in all of `sums`, [batch, n_best]."""
    import tensorflow as tf

    width = tf.shape(sums)[1]
    padded = tf.pad(sums, [[0, 0], [0, n_best]], constant_values=FORBIDDEN)
    values, places = tf.math.top_k(padded, n_best)
    places = tf.minimum(places, width - 1) + tf.range(tf.shape(sums)[0])[:, tf.newaxis] * width
    factory: Any = tf.RaggedTensor

    def by_text(part: Tensor, fill: Any) -> Tensor:
        rows = factory.from_value_rowids(part, text, nrows=batch, validate=False)
        return tf.reshape(rows.to_tensor(fill), [batch, -1])

    values, order = tf.math.top_k(by_text(values, FORBIDDEN), n_best)
    return values, tf.gather(by_text(places, 0), order, batch_dims=1)


def texts_of(spans: Found, contexts: Tensor) -> Tensor:
    """Return the text of each span, string [batch, spans]."""
    import tensorflow as tf

    # Invalid bytes count as the characters that replace them.
    clean = tf.strings.unicode_transcode(contexts, "UTF-8", "UTF-8", errors="replace")
    flat = tf.repeat(clean, tf.shape(spans.starts)[1])
    starts, ends = tf.reshape(spans.starts, [-1]), tf.reshape(spans.ends, [-1])
    parts = tf.strings.substr(flat, starts, ends - starts, unit="UTF8_CHAR")
    return tf.reshape(parts, tf.shape(spans.starts))


def decode(outputs: ContextOutputs, **settings: Any) -> Found:
    """Return the results of `find` for each context, as arrays."""
    parts = []
    for chunk in _chunks(outputs):
        logits, starts, ends, firsts = _dense([window for windows in chunk for window in windows])
        counts = np.array([len(windows) for windows in chunk], np.int32)
        parts.append(find(logits, starts, ends, firsts, counts, **settings))
    return Found(*(np.concatenate([p.numpy() for p in part]) for part in zip(*parts, strict=True)))


def _chunks(outputs: ContextOutputs) -> Iterator[list[list[Window]]]:
    """Yield the windows of some examples, together about as many as are searched at once."""
    chunk: list[list[Window]] = []
    for windows in outputs:
        chunk.append(windows)
        if sum(map(len, chunk)) >= WINDOWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _dense(windows: list[Window]) -> tuple[np.ndarray, ...]:
    """Return logits, starts, ends and first pieces of windows, padded to the longest."""
    length = max(len(window.starts) for window in windows)

    def padded(part: np.ndarray, fill: float) -> np.ndarray:
        widths = [(0, length - len(part)), *[(0, 0)] * (part.ndim - 1)]
        return np.pad(part, widths, constant_values=fill)

    return (
        np.stack([padded(window.logits, float(FORBIDDEN)) for window in windows]),
        np.stack([padded(window.starts, -1) for window in windows]),
        np.stack([padded(window.ends, -1) for window in windows]),
        np.array([window.first_piece for window in windows], np.int32),
    )
