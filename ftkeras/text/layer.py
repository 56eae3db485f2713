"""Turn texts into the encoder's input ids."""

import hashlib
import inspect
import json
import pathlib
from importlib import metadata
from typing import Any

import tensorflow as tf

from ftkeras.text import contexts, options
from ftkeras.text.code_digest import code_digest
from ftkeras.text.redactions import Redaction, replace
from ftkeras.text.tokenizer import Tokenizer
from ftkeras.text.truncations import Truncation
from ftkeras.text.truncations.head import Head
from ftkeras.text.truncations.windows import Windows
from ftkeras.text.words import NO_WORD, NUMBERS, WORDS, frame_words, word_numbers, word_spans


class TextLayer(tf.Module):
    """Turn texts, or pairs of texts, into input ids with the tokenizer's special tokens.

    Pairs are shortened longest first, see `longest_first` below; `truncation` then decides which
    part of each text is kept. If it cuts windows, each of them is a row, the second text of a pair
    is cut, and the first is shortened.

    Args:
        tokenizer: turns texts into pieces, and adds special tokens.
        truncation: shortens each text to a limit.
        max_length: the most tokens, special ones included; at least one piece of each text.
        segments: whether the encoder reads segment ids.
        words: whether to return, for single texts, the words as well.
        every_piece: whether to return also which word a token continues.
        spaced: whether only spaces separate words, which are returned by their numbers.
        contexts: whether pairs are questions with contexts, to be read as
            `ftkeras.text.contexts.read` does.
        options: the most options of a question, if pairs are questions with options; None if they
            are not.
        each_text: whether each text of a pair is a row of its own.
        redaction: replaces parts of each text before it is tokenized; None for nothing. Places of
            words are then those in the redacted text; see `ftkeras.text.redacted_places`.

    Attributes:
        segments: whether pairs have segment ids, which some tokenizers do not give.

    Call:
        texts: string [batch].
        pairs: string [batch], or None.
        Returns {"token_ids"} and, with pairs, {"segment_ids"} (0 for the first text, 1 for the
        second) if there are any, int32 ragged [batch, (length)]. With `words`, also {"word_starts",
        "word_ends"} of the same type and shape: the word, in characters of its text, of which a
        token is the first; `NO_WORD` of other tokens. See `ftkeras.text.words`, also for what is
        returned of tokens that continue a word. With `spaced`, {"word_numbers"} instead, the number
        of the word. With `options`, `pairs` hold the options of each question, see
        `ftkeras.text.options`, and the ids have a row for each option, [batch * options, (length)].
        With `each_text`, the ids have a row for each text of a pair, one after the other, [batch *
        2, (length)], and no segments. If texts are cut into windows, the rows are windows, and
        there is also what `Cut.columns` in `ftkeras.text.truncations.windows` returns. Only the
        window in which a word has the most context has the word.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
    """

    def __init__(
        self,
        *,
        tokenizer: Tokenizer,
        truncation: Truncation,
        max_length: int,
        segments: bool = True,
        words: bool = False,
        every_piece: bool = False,
        spaced: bool = False,
        contexts: bool = False,
        options: int | None = None,
        each_text: bool = False,
        redaction: Redaction | None = None,
    ):
        super().__init__()
        least = tokenizer.specials[0] + 1
        if not isinstance(max_length, int) or max_length < least:
            raise ValueError(
                f"`max_length` must be an integer of at least {least}: special tokens and a piece. "
                f"Received: {max_length!r}."
            )
        self.segments = segments and tokenizer.segments > 1 and not each_text
        self.tokenizer = tokenizer
        self.truncation = truncation
        self.max_length = max_length
        self.words, self.contexts, self.options = words, contexts, options
        self.every_piece, self.spaced = every_piece, spaced
        self.each_text, self.redaction = each_text, redaction

    def __call__(
        self, texts: tf.Tensor, pairs: tf.Tensor | None = None
    ) -> dict[str, tf.RaggedTensor]:
        """Return "token_ids" (and "segment_ids", or words), int32 ragged [rows, (length)]."""
        texts, pairs = self.redacted(texts), None if pairs is None else self.redacted(pairs)
        if self.words:
            return self._with_words(texts)
        if self.contexts:
            return self._with_contexts(texts, pairs)
        if self.options is not None:
            return self._with_options(texts, pairs, self.options)
        if self.each_text and pairs is not None:
            texts, pairs = tf.reshape(tf.stack([texts, pairs], axis=1), [-1]), None
        pieces = self.tokenizer(texts)
        if pairs is None:
            (pieces,), windows = self._shorten(pieces)
            return self.tokenizer.frame(pieces) | windows
        return self._join_pairs(pieces, self.tokenizer(pairs))

    def redacted(self, texts: tf.Tensor) -> tf.Tensor:
        """Return texts as the tokenizer reads them, string of any shape."""
        return texts if self.redaction is None else replace(self.redaction, texts)

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
            "segments": self.segments,
            "words": self.words,
            "every_piece": self.every_piece,
            "spaced": self.spaced,
            "contexts": self.contexts,
            "options": self.options,
            "each_text": self.each_text,
            "redaction": self.redaction and [vars(rule) for rule in self.redaction.rules],
            "code": code_digest([*own_code, pathlib.Path(inspect.getfile(type(truncation)))]),
            "versions": [metadata.version(name) for name in ("tensorflow", "tensorflow-text")],
        }

    def _with_words(self, texts: tf.Tensor) -> dict[str, tf.RaggedTensor]:
        pieces, *offsets = self.tokenizer.with_offsets(texts)
        if self.spaced:
            spans, names = (word_numbers(texts, *offsets),), (NUMBERS,)
        else:
            spans, names = word_spans(texts, *offsets, every_piece=self.every_piece), WORDS
        (pieces, *spans), windows = self._shorten(pieces, *spans)
        return frame_words(self.tokenizer, pieces, spans=spans, names=names) | windows

    def _shorten(
        self, pieces: tf.RaggedTensor, *spans: tf.RaggedTensor
    ) -> tuple[list[tf.RaggedTensor], dict[str, Any]]:
        """Shorten single texts to `max_length`, or cut them into windows.

        Args:
            pieces: ragged [batch, (pieces)].
            spans: what is known of the words that they begin, of the same shape.

        Returns:
            Pieces and spans, ragged [rows, (pieces)]; and of windows, `Cut.columns`.
        """
        limit = self.max_length - self.tokenizer.specials[0]
        if not isinstance(self.truncation, Windows):
            return [self.truncation(part, limit) for part in (pieces, *spans)], {}
        cut = self.truncation.cut(pieces.row_lengths(), limit)
        spans = tuple(map(cut.take, spans))
        if spans:
            best = cut.has_most_context().flat_values
            flat = [tf.where(best, span.flat_values, NO_WORD) for span in spans]
            pairs = zip(spans, flat, strict=True)
            spans = tuple(span.with_flat_values(values) for span, values in pairs)
        return [cut.take(pieces), *spans], cut.columns()

    def _with_contexts(self, questions: tf.Tensor, texts: tf.Tensor | None) -> dict[str, Any]:
        self._require_room_for_pairs()
        assert texts is not None, "questions come with contexts"
        rows = contexts.read(self.tokenizer, self.truncation, self.max_length, questions, texts)
        return rows if self.segments else {n: v for n, v in rows.items() if n != "segment_ids"}

    def _with_options(
        self, questions: tf.Tensor, texts: Any, most: int
    ) -> dict[str, tf.RaggedTensor]:
        """Return each question with each of its options, [batch * most, (length)].

        The rows of options that a question lacks are empty.
        """
        listed = options.split(texts, most)
        numbers = tf.repeat(tf.range(tf.size(questions)), most)
        first = tf.gather(self.tokenizer(questions), numbers)
        rows = self._join_pairs(first, self.tokenizer(tf.reshape(listed.texts, [-1])))
        is_option = tf.cast(tf.reshape(listed.mask, [-1]), tf.int64)
        return {name: Head()(ids, ids.row_lengths() * is_option) for name, ids in rows.items()}

    def _join_pairs(self, first: tf.RaggedTensor, second: tf.RaggedTensor) -> dict[str, Any]:
        self._require_room_for_pairs()
        budget = self.max_length - self.tokenizer.specials[1]
        limits = longest_first(first.row_lengths(), second.row_lengths(), budget)
        first, windows = self.truncation(first, limits[0]), {}
        if isinstance(self.truncation, Windows):
            rooms = tf.maximum(budget - first.row_lengths(), 1)
            cut = self.truncation.cut(second.row_lengths(), rooms)
            first, second, windows = tf.gather(first, cut.texts), cut.take(second), cut.columns()
        else:
            second = self.truncation(second, limits[1])
        ids = self.tokenizer.frame(first, second)
        return (ids if self.segments else {"token_ids": ids["token_ids"]}) | windows

    def _require_room_for_pairs(self) -> None:
        specials = self.tokenizer.specials[1]
        if self.max_length < specials + 2:
            raise ValueError(
                f"`max_length` must be at least {specials + 2} for pairs: {specials} special "
                f"tokens and a piece of each text. Received: {self.max_length}."
            )


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
