"""Questions with their contexts as token ids, and where each token is in its context."""

from typing import Any

import tensorflow as tf

from ftkeras.text import _characters
from ftkeras.text._spellings import points_of
from ftkeras.text.offsets import to_characters
from ftkeras.text.tokenizer import Tokenizer
from ftkeras.text.truncations import Truncation
from ftkeras.text.truncations.head import Head
from ftkeras.text.truncations.windows import Windows
from ftkeras.text.words import frame_words


def read(
    tokenizer: Tokenizer,
    truncation: Truncation,
    max_length: int,
    questions: tf.Tensor,
    contexts: tf.Tensor,
) -> dict[str, Any]:
    """Return the rows that a model reads of each question with its context.

    A question keeps at most half of the room, its beginning. The context is cut into windows, or
    shortened to one row.

    Args:
        tokenizer: must give offsets.
        truncation: shortens contexts, or cuts them.
        max_length: the most tokens of a row, special ones included.
        questions: string [batch].
        contexts: string [batch].

    Returns:
        "token_ids" and "segment_ids", int32 ragged [rows, (length)]. "word_starts" and "word_ends",
        int32 of the same shape: where each token of the context is in it, in characters, without
        the spaces around it; `NO_WORD` of other tokens. "first_pieces", int32 [rows]: how many
        tokens of the context are before the row's first one. "window_counts", int32 [batch]: how
        many rows each question has.
    """
    budget = max_length - tokenizer.specials[1]
    question = Head()(tokenizer(questions), budget // 2)
    pieces, *offsets = tokenizer.with_offsets(contexts)
    starts, ends = _trimmed(contexts, *offsets)
    parts = [tf.cast(part, tf.int32) for part in (pieces, starts, ends)]
    rooms = budget - question.row_lengths()
    about = {"first_pieces": tf.zeros_like(rooms), "window_counts": tf.ones_like(rooms)}
    about = {name: tf.cast(part, tf.int32) for name, part in about.items()}
    if isinstance(truncation, Windows):
        cut = truncation.cut(pieces.row_lengths(), rooms)
        question, about = tf.gather(question, cut.texts), cut.columns()
        parts = [cut.take(part) for part in parts]
    else:
        parts = [truncation(part, rooms) for part in parts]
    pieces, starts, ends = parts
    return frame_words(tokenizer, question, pieces, spans=(starts, ends)) | about


def _trimmed(
    texts: tf.Tensor, starts: tf.RaggedTensor, ends: tf.RaggedTensor
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Return the starts and ends of tokens in characters, without the spaces that they include.

    A token of spaces alone is empty, before the next character that is no space.
    """
    codes = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
    spaces = tf.constant(list(points_of(_characters.SPACES)), tf.int32)
    is_text = tf.reduce_all(codes.flat_values[:, tf.newaxis] != spaces, axis=1)
    # On one axis for all texts: where each text's characters start, and those that are no spaces.
    base, filled = codes.row_starts(), tf.reshape(tf.where(is_text), [-1])
    before, after = tf.concat([[-1], filled], 0), tf.concat([filled, [tf.int64.max]], 0)

    def on_axis(part: tf.RaggedTensor) -> tf.Tensor:
        part = to_characters(texts, part)
        return tf.cast(part.flat_values, tf.int64) + tf.gather(base, part.value_rowids())

    first, last = on_axis(starts), on_axis(ends)
    next_text = tf.gather(after, tf.searchsorted(filled, first))
    start = tf.minimum(next_text, last)
    end = tf.maximum(tf.gather(before, tf.searchsorted(filled, last)) + 1, start)
    shift = tf.gather(base, starts.value_rowids())
    return starts.with_flat_values(start - shift), ends.with_flat_values(end - shift)
