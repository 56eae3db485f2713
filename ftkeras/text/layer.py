"""Turn texts into the encoder's input ids."""

import hashlib
import inspect
import json
import pathlib
from importlib import metadata
from typing import Any

import tensorflow as tf

from ftkeras.text.code_digest import code_digest
from ftkeras.text.tokenizer import Tokenizer
from ftkeras.text.truncations import Truncation

_SPECIALS = 2  # [CLS] a [SEP]
_PAIR_SPECIALS = 3  # [CLS] a [SEP] b [SEP]


class TextLayer(tf.Module):
    """Turn texts, or pairs of texts, into input ids: [CLS] a [SEP], or [CLS] a [SEP] b [SEP].

    Pairs are shortened longest first, see `longest_first` below; `truncation` then decides which
    part of each text is kept.

    Args:
        tokenizer: turns texts into pieces.
        truncation: shortens each text to a limit.
        max_length: the most tokens, special ones included; at least 3, for pairs at least 5.

    Call:
        texts: string [batch].
        pairs: string [batch], or None.
        Returns {"token_ids"} and, with pairs, {"segment_ids"} (0 up to the first [SEP], then 1),
        int32 ragged [batch, (length)].

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    def __init__(self, *, tokenizer: Tokenizer, truncation: Truncation, max_length: int):
        super().__init__()
        if not isinstance(max_length, int) or max_length < _SPECIALS + 1:
            raise ValueError(
                "`max_length` must be an integer of at least 3: [CLS], a piece and [SEP]. "
                f"Received: {max_length!r}."
            )
        self.tokenizer = tokenizer
        self.truncation = truncation
        self.max_length = max_length

    def __call__(
        self, texts: tf.Tensor, pairs: tf.Tensor | None = None
    ) -> dict[str, tf.RaggedTensor]:
        """Return "token_ids" (and "segment_ids"), int32 ragged [batch, (length)]."""
        pieces = self.tokenizer(texts)
        if pairs is None:
            pieces = self.truncation(pieces, self.max_length - _SPECIALS)
            return {"token_ids": self._add_specials(pieces, cls=True)}
        return self._join_pairs(pieces, self.tokenizer(pairs))

    def identity(self) -> dict[str, Any]:
        """Return all that the ids of a text depend on, JSON-serializable: the key of a cache.

        That includes the code of this folder and of the truncation, without comments and
        docstrings, and the versions of the libraries.
        """
        truncation = self.truncation
        vocabulary = json.dumps(self.tokenizer.vocabulary)
        own_code = sorted(pathlib.Path(__file__).parent.glob("*.py"))
        return {
            **self.tokenizer.identity(),
            "vocabulary": hashlib.sha256(vocabulary.encode()).hexdigest(),
            "truncation": [type(truncation).__name__, truncation.get_config()],
            "max_length": self.max_length,
            "code": code_digest([*own_code, pathlib.Path(inspect.getfile(type(truncation)))]),
            "versions": [metadata.version(name) for name in ("tensorflow", "tensorflow-text")],
        }

    def _join_pairs(
        self, first: tf.RaggedTensor, second: tf.RaggedTensor
    ) -> dict[str, tf.RaggedTensor]:
        if self.max_length < _PAIR_SPECIALS + 2:
            raise ValueError(
                "`max_length` must be at least 5 for pairs: three special tokens and a piece of "
                f"each text. Received: {self.max_length}."
            )
        limits = longest_first(
            first.row_lengths(), second.row_lengths(), self.max_length - _PAIR_SPECIALS
        )
        parts = [
            self._add_specials(self.truncation(first, limits[0]), cls=True),
            self._add_specials(self.truncation(second, limits[1]), cls=False),
        ]
        segments = [tf.zeros_like(parts[0]), tf.ones_like(parts[1])]
        return {"token_ids": tf.concat(parts, axis=1), "segment_ids": tf.concat(segments, axis=1)}

    def _add_specials(self, pieces: tf.RaggedTensor, *, cls: bool) -> tf.RaggedTensor:
        """Add [SEP] at the end of each row and, if `cls`, [CLS] at the start."""
        column = [pieces.nrows(), 1]
        end = tf.fill(column, self.tokenizer.sep_id)
        start = [tf.fill(column, self.tokenizer.cls_id)] if cls else []
        return tf.concat([*start, pieces, end], axis=1)


def longest_first(first: tf.Tensor, second: tf.Tensor, budget: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return how many pieces of each text of a pair to keep: all if they fit, else equal shares.

    With s the shorter and l the longer length, and s + l > budget: if 2 s <= budget, s keeps all
    its pieces and l gets the rest; otherwise s gets floor(budget / 2) and l the rest. Of two equal
    texts the first counts as the shorter. Source: `tokenizers`, truncate_encodings, LongestFirst.

    Args:
        first: lengths in pieces, integer [batch].
        second: lengths in pieces, integer [batch].
        budget: the most pieces of a pair; not negative.

    Returns:
        The two limits, integer [batch].
    """
    short = tf.minimum(tf.minimum(first, second), budget // 2)
    long = tf.minimum(tf.maximum(first, second), budget - short)
    swapped = first > second
    return tf.where(swapped, long, short), tf.where(swapped, short, long)
