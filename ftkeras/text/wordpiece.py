"""WordPiece as TensorFlow ops, with the ids of a checkpoint's own tokenizer."""

import pathlib
from collections.abc import Sequence
from typing import Any, cast

import tensorflow as tf
import tensorflow_text as tf_text

from ftkeras.errors import UserError
from ftkeras.support import bounds
from ftkeras.text import _folder
from ftkeras.text._added_tokens import AddedToken, Recognizer, extend
from ftkeras.text._alignment import align
from ftkeras.text._frames import STYLES, Style, joined, with_segments
from ftkeras.text._respelling import respell
from ftkeras.text._spellings import spellings
from ftkeras.text.pieces import Pieces

MAX_WORD_CHARACTERS = 100
# The op takes no longer tokens; "##" before them does not count.
MAX_TOKEN_BYTES = 256
_ASCII = r"[\x00-\x7f]*"
_ASCII_CONTROLS = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+"
_ASCII_PUNCTUATION = r"([!-/:-@\[-`{-~])"


class WordPiece(tf.Module):
    """Turn strings into WordPiece ids, with TensorFlow ops that a SavedModel can hold.

    The steps are: clean, put spaces around CJK ideographs, decompose (NFD) and remove accents,
    lower-case, split at spaces and punctuation, and match the longest pieces from left to right. A
    word of more than 100 characters, or without a match, becomes [UNK].

    The ids equal those of Hugging Face's `tokenizers` (BertNormalizer, BertPreTokenizer, WordPiece)
    on every string. Special tokens in a text are ordinary text: "[SEP]" is three words. Tokens that
    a checkpoint has added are recognized before all else, also inside words. Bytes that are not
    UTF-8 become U+FFFD, which is removed. MPNet's tokenizer differs in its special tokens and in
    how they frame texts.
    Source: Schuster and Nakajima, 2012; Devlin et al., 2019, https://arxiv.org/abs/1810.04805;
    Song et al., 2021, https://arxiv.org/abs/2012.15524.

    Args:
        vocabulary: the tokens, by id, each of them once; includes the special tokens.
        lowercase: whether to lower-case the text, character by character.
        strip_accents: whether to decompose the text (NFD) and remove non-spacing marks; None to do
            so if `lowercase` is True.
        split_chinese: whether each CJK ideograph is a word.
        added_tokens: tokens that are recognized in texts. Each has the id of the same string in
            `vocabulary`, or the next id after `vocabulary` and the tokens before it.
        style: bert for [PAD], [UNK], [CLS] and [SEP]; mpnet for <pad>, [UNK], <s> and </s>.

    Attributes:
        vocabulary: the tokens by id, with the added ones.
        pad_id, unknown_id, cls_id, sep_id: ids of the style's special tokens, in this order.

    Call:
        texts: string [batch].
        Returns ids without special tokens, int32 ragged [batch, (pieces)].

    Raises:
        ValueError: if the vocabulary lacks a special token, or has a repeated or empty token or one
            of more than 256 bytes, or if an added token has another id or can't be told from
            another one.

    >>> tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##happy", "!"]
    >>> WordPiece(vocabulary=tokens)(["Unhappy!"]).to_list()
    [[4, 5, 6]]
    """

    def __init__(
        self,
        *,
        vocabulary: Sequence[str],
        lowercase: bool = True,
        strip_accents: bool | None = None,
        split_chinese: bool = True,
        added_tokens: Sequence[AddedToken] = (),
        style: str = "bert",
    ):
        super().__init__()
        bounds.choice(("bert", "mpnet"), style=style)
        self.style = style
        self.specials, self.segments = STYLES[style].counts, 2 if style == "bert" else 1
        names = _special_tokens(STYLES[style])
        specials = _special_ids(tuple(vocabulary), names)
        self.vocabulary = extend(vocabulary, added_tokens, reserved=names)
        self.added_tokens, self._base = tuple(added_tokens), len(vocabulary)
        self.pad_id, self.unknown_id, self.cls_id, self.sep_id = specials
        self.lowercase = bool(lowercase)
        self.strip_accents = self.lowercase if strip_accents is None else bool(strip_accents)
        self.split_chinese = bool(split_chinese)
        self._tables = spellings(self.lowercase, self.strip_accents, self.split_chinese)
        self._pieces = tf_text.FastWordpieceTokenizer(
            list(vocabulary),
            token_out_type=cast(Any, tf.int32),
            unknown_token="[UNK]",
            no_pretokenization=True,
            max_bytes_per_word=4 * MAX_WORD_CHARACTERS,
        )
        self._add_recognizers()

    def _add_recognizers(self) -> None:
        by_stage = {normalized: [] for normalized in (False, True)}
        for token in self.added_tokens:
            by_stage[token.normalized].append(token)
        self._in_text = self._in_normalized = None
        if tokens := by_stage[False]:
            self._in_text = Recognizer([t.content for t in tokens], [t.id for t in tokens])
        if tokens := by_stage[True]:
            # The two halves of `_tables`: normalization, then spaces around punctuation.
            settings = self.lowercase, self.strip_accents, self.split_chinese
            self._normalizing = spellings(*settings, split_punctuation=False)
            self._splitting = spellings(False, False, False)
            self._in_normalized = Recognizer(self._patterns(tokens), [t.id for t in tokens])

    def _patterns(self, tokens: Sequence[AddedToken]) -> list[str]:
        """Return the normalized forms of added tokens."""
        with tf.init_scope():
            contents = [t.content for t in tokens]
            patterns = [p.decode() for p in self._normalize(tf.constant(contents)).numpy()]
        first = dict(zip(reversed(patterns), reversed(contents), strict=True))
        for pattern, content in zip(patterns, contents, strict=True):
            if not pattern or first[pattern] != content:
                other = repr(first[pattern]) if pattern else "nothing"
                raise ValueError(
                    "`added_tokens` must differ after normalization. "
                    f"Received: {content!r}, which becomes the same as {other}."
                )
        return patterns

    def __call__(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Return the ids of texts, int32 ragged [batch, (pieces)]."""
        texts = tf.convert_to_tensor(texts, tf.string)
        if self._in_text is None:
            return self._ids_between(texts)
        return self._in_text(texts, self._ids_between)

    def _ids_between(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Return the ids of texts without the added tokens that are not normalized."""
        if self._in_normalized is None:
            return self._ids_of_words(self.words(texts))
        return self._in_normalized(
            self._normalize(texts), lambda normal: self._ids_of_words(self._split(normal))
        )

    def _ids_of_words(self, words: tf.RaggedTensor) -> tf.RaggedTensor:
        characters = tf.strings.length(words.flat_values, unit="UTF8_CHAR")
        short = tf.where(characters > MAX_WORD_CHARACTERS, "[UNK]", words.flat_values)
        return words.with_flat_values(self._pieces.tokenize(short)).merge_dims(1, 2)

    def with_offsets(
        self, texts: tf.Tensor
    ) -> tuple[tf.RaggedTensor, tf.RaggedTensor, tf.RaggedTensor]:
        """Return the ids of texts, and where each piece starts and ends in its text.

        A piece starts where the character of its first letter starts, and ends where that of its
        last letter ends; so do `tokenizers`' offsets. Characters that normalization removes lie
        inside a piece or between pieces, never at its ends: a combining mark after the last letter
        is outside. [UNK] spans its word. Bytes that are not UTF-8 are removed like U+FFFD.

        Args:
            texts: string [batch].

        Returns:
            ids, int32 ragged [batch, (pieces)], equal to those of a call; starts and ends, int64
            ragged [batch, (pieces)], in bytes of the original texts. For characters, see
            `ftkeras.text.offsets.to_characters`.

        Raises:
            ValueError: if the tokenizer has added tokens, which offsets do not recognize.

        >>> tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##happy", "!"]
        >>> ids, starts, ends = WordPiece(vocabulary=tokens).with_offsets(["Ünhappy !"])
        >>> ids.to_list(), starts.to_list(), ends.to_list()
        ([[4, 5, 6]], [[0, 3, 9]], [[3, 8, 10]])
        """
        if self.added_tokens:
            raise ValueError(
                f"A WordPiece tokenizer with added tokens (here {self.added_tokens[0].content!r}) "
                "has no offsets; use a checkpoint without them."
            )
        settings = self.lowercase, self.strip_accents, self.split_chinese
        tables = spellings(*settings, keep_marks=True)
        aligned = align(tf.convert_to_tensor(texts, tf.string), tables)
        words = aligned.words.flat_values
        is_long = tf.strings.length(words, unit="UTF8_CHAR") > MAX_WORD_CHARACTERS
        cut = self._pieces.tokenize_with_offsets(tf.where(is_long, "[UNK]", words))
        ids, starts, ends = (aligned.words.with_flat_values(part) for part in cut)
        ids, starts, ends = (part.merge_dims(1, 2) for part in (ids, starts, ends))
        word = cut[0].value_rowids()
        sizes = tf.cast(tf.strings.length(words), tf.int64)
        limits = tf.where(tf.gather(is_long, word), tf.gather(sizes, word), ends.flat_values)
        first = tf.gather(aligned.first, word)
        starts = starts.with_flat_values(tf.gather(aligned.starts, first + starts.flat_values))
        ends = ends.with_flat_values(tf.gather(aligned.ends, first + limits - 1))
        return ids, starts, ends

    @property
    def special_ids(self) -> tuple[int, ...]:
        """The ids that `frame` adds."""
        return self.cls_id, self.sep_id

    def frame(
        self, first: tf.RaggedTensor, second: tf.RaggedTensor | None = None
    ) -> dict[str, tf.RaggedTensor]:
        """Return [CLS] a [SEP], or [CLS] a [SEP] b [SEP] with segments 0 up to the first [SEP].

        In MPNet's style, return <s> a </s>, or <s> a </s></s> b </s>, all of segment 0.
        """
        frame = joined if self.segments == 1 else with_segments
        return frame(first, second, start=self.cls_id, end=self.sep_id)

    def words(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Return the normalized words of texts, string ragged [batch, (words)]."""
        texts = tf.convert_to_tensor(texts, tf.string)
        plain = tf.strings.regex_full_match(texts, _ASCII)
        others = respell(tf.where(plain, "", texts), self._tables)
        return tf.strings.split(tf.where(plain, _space_ascii(self._normalize_ascii(texts)), others))

    def _normalize(self, texts: tf.Tensor) -> tf.Tensor:
        """Return normalized texts, string [batch]."""
        plain = tf.strings.regex_full_match(texts, _ASCII)
        others = respell(tf.where(plain, "", texts), self._normalizing)
        return tf.where(plain, self._normalize_ascii(texts), others)

    def _split(self, normal: tf.Tensor) -> tf.RaggedTensor:
        """Return the words of normalized texts, string ragged [batch, (words)]."""
        plain = tf.strings.regex_full_match(normal, _ASCII)
        others = respell(tf.where(plain, "", normal), self._splitting)
        return tf.strings.split(tf.where(plain, _space_ascii(normal), others))

    def _normalize_ascii(self, texts: tf.Tensor) -> tf.Tensor:
        """Normalize ASCII several times faster than `respell` does; most English texts are."""
        texts = tf.strings.regex_replace(texts, _ASCII_CONTROLS, "")
        return tf.strings.lower(texts) if self.lowercase else texts

    @classmethod
    def from_folder(cls, folder: pathlib.Path) -> "WordPiece":
        """Read the tokenizer of a Hugging Face checkpoint.

        It is in tokenizer.json or, if there is none, in vocab.txt and tokenizer_config.json.

        Raises:
            UserError: if there is neither, or the tokenizer is of another kind.
        """
        return cls._from_files(folder, _folder.read(pathlib.Path(folder)))

    @classmethod
    def from_vocabulary(cls, path: pathlib.Path, *, lowercase: bool = True) -> "WordPiece":
        """Read a vocabulary file, UTF-8, one token per line.

        Raises:
            UserError: if the file can't be read, or the vocabulary is not valid.
        """
        vocabulary = _folder.read_vocabulary(pathlib.Path(path))
        return cls._from_files(path, {"vocabulary": vocabulary, "lowercase": lowercase})

    @classmethod
    def _from_files(cls, path: pathlib.Path, arguments: dict) -> "WordPiece":
        try:
            return cls(**arguments)
        except ValueError as error:
            raise UserError(f"`encoder`: {path} has an invalid vocabulary: {error}") from None

    def pieces(self) -> Pieces:
        """Return the kinds of the tokens: special ones, and those that begin words."""
        return Pieces(self, [not token.startswith("##") for token in self.vocabulary])

    def identity(self) -> dict[str, Any]:
        """Return the settings, besides the vocabulary, that the ids depend on."""
        return {
            "lowercase": self.lowercase,
            "strip_accents": self.strip_accents,
            "split_chinese": self.split_chinese,
            "added_tokens": [list(token) for token in self.added_tokens],
            # Only if it is not BERT's, so that the identity of BERT's tokenizers stays the same.
            **({} if self.style == "bert" else {"style": self.style}),
        }

    def save(
        self,
        folder: pathlib.Path,
        *,
        max_length: int | None = None,
        segments: bool = True,
        cut_side: str | None = None,
    ) -> None:
        """Write vocab.txt and tokenizer_config.json, which `from_folder` and transformers read.

        Args:
            folder: the folder to write to.
            max_length: the tokens that transformers truncates texts to; None for no limit.
            segments: whether transformers passes segment ids to the model.
            cut_side: where transformers truncates them: right or left; None for its default.

        Raises:
            ValueError: if a token has a line end, or `folder` a tokenizer.json to read instead.
        """
        _folder.write(
            pathlib.Path(folder),
            vocabulary=self.vocabulary[: self._base],
            lowercase=self.lowercase,
            strip_accents=self.strip_accents,
            split_chinese=self.split_chinese,
            added_tokens=self.added_tokens,
            style=self.style,
            max_length=max_length,
            cut_side=cut_side,
            segments=segments and self.segments > 1,
        )


def fits(token: str) -> bool:
    """Return whether a token is short enough for a WordPiece vocabulary."""
    return len(token.removeprefix("##").encode()) <= MAX_TOKEN_BYTES


def _space_ascii(texts: tf.Tensor) -> tf.Tensor:
    """Put spaces around ASCII punctuation."""
    return tf.strings.regex_replace(texts, _ASCII_PUNCTUATION, r" \1 ")


def _special_tokens(style: Style) -> tuple[str, str, str, str]:
    """Return the tokens that fill rows up, stand for unknown words, start texts and end them."""
    start, pad, end, unknown = style.specials
    return pad, unknown, start, end


def _special_ids(vocabulary: tuple[str, ...], names: tuple[str, ...]) -> list[int]:
    """Return the ids of special tokens; raise ValueError if the vocabulary is not valid."""
    ids = {token: index for index, token in enumerate(vocabulary)}
    missing = [token for token in names if token not in ids]
    if missing:
        raise ValueError(
            f"`vocabulary` must hold {', '.join(names)}. "
            f"Received: {len(vocabulary)} tokens without {', '.join(missing)}."
        )
    if len(ids) < len(vocabulary) or "" in ids:
        odd = next(token for i, token in enumerate(vocabulary) if ids[token] != i or not token)
        raise ValueError(
            "`vocabulary` must hold each token once and no empty token. "
            f"Received: {odd!r} {vocabulary.count(odd)} times."
        )
    if (long := next((token for token in vocabulary if not fits(token)), None)) is not None:
        raise ValueError(
            f"`vocabulary` must hold tokens of at most {MAX_TOKEN_BYTES} bytes. "
            f"Received: one of {len(long.encode())} bytes, {long[:40]!r}…"
        )
    return [ids[token] for token in names]
