"""Add special tokens to pieces, and find their ids."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from ftkeras.text import ragged_tensors


def add_specials(
    pieces: tf.RaggedTensor, *, start: tuple[int, ...] = (), end: tuple[int, ...] = ()
) -> tf.RaggedTensor:
    """Add ids at the start and at the end of each row, int32 ragged [batch, (pieces)]."""
    parts = [
        pieces if part is None else tf.fill([pieces.nrows(), 1], part)
        for part in (*start, None, *end)
    ]
    return tf.concat(parts, axis=1)


class Style(NamedTuple):
    """The names of a tokenizer's special tokens, and how they frame texts.

    Attributes:
        specials: the tokens that start a text, fill it up, end it, and stand for unknown ones.
        mask: the token that pretraining predicts.
        between: the number of ends between the texts of a pair.
        framed: whether texts get a start and an end.
    """

    specials: tuple[str, str, str, str]
    mask: str
    between: int
    framed: bool = True

    @property
    def counts(self) -> tuple[int, int]:
        """The number of special tokens of a text, and of a pair."""
        return (2, 2 + self.between) if self.framed else (0, 0)

    @property
    def roles(self) -> dict[str, str]:
        """The tokens by their names in Hugging Face's files."""
        start, pad, end, unknown = self.specials
        ends = {"bos_token": start, "eos_token": end}
        if not self.framed:
            return {**ends, "pad_token": pad, "unk_token": unknown}
        return {
            **ends,
            "cls_token": start,
            "sep_token": end,
            "pad_token": pad,
            "unk_token": unknown,
            "mask_token": self.mask,
        }


_END_OF_TEXT = "<|endoftext|>"
STYLES = {
    "roberta": Style(("<s>", "<pad>", "</s>", "<unk>"), "<mask>", between=2),
    "bert": Style(("[CLS]", "[PAD]", "[SEP]", "[UNK]"), "[MASK]", between=1),
    "albert": Style(("[CLS]", "<pad>", "[SEP]", "<unk>"), "[MASK]", between=1),
    "mpnet": Style(("<s>", "<pad>", "</s>", "[UNK]"), "<mask>", between=2),
    "gpt2": Style(
        (_END_OF_TEXT, _END_OF_TEXT, _END_OF_TEXT, _END_OF_TEXT),
        _END_OF_TEXT,
        between=0,
        framed=False,
    ),
}


def joined(
    first: tf.RaggedTensor,
    second: tf.RaggedTensor | None,
    *,
    start: int,
    end: int,
    between: int = 2,
) -> dict[str, tf.RaggedTensor]:
    """Return <s> a </s>, or a pair with a number of ends between its texts, all of segment 0."""
    ids = add_specials(first, start=(start,), end=(end,))
    if second is None:
        return {"token_ids": ids}
    second = add_specials(second, start=(end,) * (between - 1), end=(end,))
    ids = tf.concat([ids, second], axis=1)
    return _of_segment_0(ids)


def _of_segment_0(ids: tf.RaggedTensor) -> dict[str, tf.RaggedTensor]:
    return {"token_ids": ids, "segment_ids": tf.zeros_like(ids)}


def with_segments(
    first: tf.RaggedTensor, second: tf.RaggedTensor | None, *, start: int, end: int
) -> dict[str, tf.RaggedTensor]:
    """Return [CLS] a [SEP], or [CLS] a [SEP] b [SEP] with segments 0 up to the first [SEP]."""
    first = add_specials(first, start=(start,), end=(end,))
    if second is None:
        return {"token_ids": first}
    second = add_specials(second, end=(end,))
    segments = [tf.zeros_like(first), tf.ones_like(second)]
    return {
        "token_ids": tf.concat([first, second], axis=1),
        "segment_ids": tf.concat(segments, axis=1),
    }


def unframed(
    first: tf.RaggedTensor, second: tf.RaggedTensor | None, *, blank: int
) -> dict[str, tf.RaggedTensor]:
    """Return a, or a b, all of segment 0, without special tokens.

    Args:
        first: ids, int32 ragged [batch, (pieces)].
        second: ids of the second texts, or None.
        blank: the id that an empty text consists of, as a model needs a token to read.
    """
    ids = first if second is None else tf.concat([first, second], axis=1)
    is_empty = tf.cast(tf.equal(ids.row_lengths(), 0), tf.int64)
    blanks = tf.fill([tf.reduce_sum(is_empty)], tf.cast(blank, ids.dtype))
    blanks = ragged_tensors.from_row_lengths(blanks, is_empty)
    ids = tf.concat([ids, blanks], axis=1)
    return {"token_ids": ids} if second is None else _of_segment_0(ids)


def ids_of_tokens(
    vocabulary: Sequence[str], specials: Sequence[str], bytes_: Sequence[str] = ()
) -> dict[str, int]:
    """Return each token's id.

    Args:
        vocabulary: the tokens, by id.
        specials: special tokens that it must hold.
        bytes_: tokens of single bytes that it must hold, those of UTF-8.

    Raises:
        ValueError: if a token is there twice, or a required one is missing.
    """
    ids = {token: index for index, token in enumerate(vocabulary)}
    specials = tuple(dict.fromkeys(specials))  # one token may have several roles
    if missing := [token for token in (*specials, *bytes_) if token not in ids]:
        and_bytes = " and all bytes that occur in UTF-8" * bool(bytes_)
        raise ValueError(
            f"`vocabulary` must hold {', '.join(specials)}{and_bytes}. "
            f"Received: {len(vocabulary)} tokens without {', '.join(missing[:4])}."
        )
    if len(ids) < len(vocabulary):
        twice = next(t for i, t in enumerate(vocabulary) if ids[t] != i)
        raise ValueError(f"`vocabulary` must hold each token once. Received: {twice!r} twice.")
    return ids
