"""Texts to the encoder's input ids."""

import hashlib
import inspect
import pathlib
from collections.abc import Callable, Iterable
from importlib import metadata

import tensorflow as tf

from ftkeras.text.wordpiece import WordPiece

_SPECIALS = 2  # [CLS] a [SEP]
_PAIR_SPECIALS = 3  # [CLS] a [SEP] b [SEP]


class TextLayer(tf.Module):
    """Texts, or pairs of texts, to input ids: [CLS] a [SEP], or [CLS] a [SEP] b [SEP].

    Pairs are shortened longest first, by `longest_first` below; `truncation` then decides what of
    each text is kept.

    Args:
        wordpiece: texts -> pieces.
        truncation: (pieces, limit) -> pieces, at most `limit` a text.
        max_length: tokens in all, special ones too; at least 3, for pairs at least 5.

    Call: texts, string [batch]; pairs, string [batch] or None -> {"token_ids"}, with pairs also
    {"segment_ids"} (0 to the first [SEP], then 1); int32 ragged [batch, (length)].

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    def __init__(self, *, wordpiece: WordPiece, truncation: Callable, max_length: int):
        super().__init__()
        if not isinstance(max_length, int) or max_length < _SPECIALS + 1:
            raise ValueError(
                "`max_length` must be an integer of at least 3: [CLS], a piece and [SEP]. "
                f"Received: {max_length!r}."
            )
        self.wordpiece = wordpiece
        self.truncation = truncation
        self.max_length = max_length

    def __call__(self, texts, pairs=None) -> dict[str, tf.RaggedTensor]:
        """Texts, string [batch] -> "token_ids" (and "segment_ids"), int32 [batch, (length)]."""
        pieces = self.wordpiece(texts)
        if pairs is None:
            kept = self.truncation(pieces, self.max_length - _SPECIALS)
            return {"token_ids": self._framed(kept, opened=True)}
        return self._paired(pieces, self.wordpiece(pairs))

    def identity(self) -> dict:
        """All that the ids of a text hang on, as JSON has it: this code too, and TensorFlow's."""
        wordpiece, truncation = self.wordpiece, self.truncation
        code = [
            *sorted(pathlib.Path(__file__).parent.glob("*.py")),
            inspect.getfile(type(truncation)),
        ]
        return {
            "vocabulary": _hashed(token.encode() for token in wordpiece.vocabulary),
            "lowercase": wordpiece.lowercase,
            "strip_accents": wordpiece.strip_accents,
            "split_chinese": wordpiece.split_chinese,
            "truncation": [type(truncation).__name__, truncation.get_config()],
            "max_length": self.max_length,
            "code": _hashed(pathlib.Path(file).read_bytes() for file in code),
            "versions": [metadata.version(name) for name in ("tensorflow", "tensorflow-text")],
        }

    def _paired(self, first: tf.RaggedTensor, second: tf.RaggedTensor) -> dict:
        if self.max_length < _PAIR_SPECIALS + 2:
            raise ValueError(
                "`max_length` must be at least 5 for pairs: three special tokens and a piece of "
                f"each text. Received: {self.max_length}."
            )
        limits = longest_first(
            first.row_lengths(), second.row_lengths(), self.max_length - _PAIR_SPECIALS
        )
        parts = [
            self._framed(self.truncation(first, limits[0]), opened=True),
            self._framed(self.truncation(second, limits[1]), opened=False),
        ]
        segments = [tf.zeros_like(parts[0]), tf.ones_like(parts[1])]
        return {"token_ids": tf.concat(parts, axis=1), "segment_ids": tf.concat(segments, axis=1)}

    def _framed(self, pieces: tf.RaggedTensor, *, opened: bool) -> tf.RaggedTensor:
        column = [pieces.nrows(), 1]
        closing = tf.fill(column, self.wordpiece.sep_id)
        opening = [tf.fill(column, self.wordpiece.cls_id)] if opened else []
        return tf.concat([*opening, pieces, closing], axis=1)


def _hashed(parts: Iterable[bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()


def longest_first(first: tf.Tensor, second: tf.Tensor, budget: int) -> tuple[tf.Tensor, tf.Tensor]:
    """How many pieces of each text to keep: what fits, else equal shares.

    With s and l the shorter and the longer length and s + l > budget: s keeps all of its pieces if
    2 s <= budget, and l gets the rest; else s gets floor(budget / 2) and l the rest. Of two equal
    texts the first counts as the shorter. Source: `tokenizers`, truncate_encodings, LongestFirst.

    Args:
        first, second: lengths in pieces, integer [batch].
        budget: pieces in all; not negative.

    Returns: the two limits, shaped as the lengths.
    """
    short = tf.minimum(tf.minimum(first, second), budget // 2)
    long = tf.minimum(tf.maximum(first, second), budget - short)
    swapped = first > second
    return tf.where(swapped, long, short), tf.where(swapped, short, long)
