"""Byte-level byte-pair encoding as TensorFlow ops, with the ids of a checkpoint's own tokenizer."""

import hashlib
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ftkeras.errors import UserError
from ftkeras.text import _byte_level_words, _byte_pair_files, _text_parts, ragged_tensors
from ftkeras.text._added_tokens import AddedToken
from ftkeras.text._alignment import byte_lengths
from ftkeras.text._frames import STYLES, ids_of_tokens, joined, unframed
from ftkeras.text._merges import Merges
from ftkeras.text._text_parts import Parts, Splitter
from ftkeras.text.pieces import Pieces, kinds_of_ends

SPECIAL_TOKENS = STYLES["roberta"].specials
RAW, NORMALIZED = "raw", "normalized"
# Bytes that no UTF-8 has; vocabularies that were made from texts, as ModernBERT's, lack them.
_NOT_IN_UTF_8 = (0xC0, 0xC1, *range(0xF5, 0x100))
Ragged = tf.RaggedTensor
Tensor = Any


def byte_letters() -> list[str]:
    """Return the letter that stands for each byte in a vocabulary.

    Source: Radford et al., 2019, https://github.com/openai/gpt-2, encoder.py.

    >>> byte_letters()[ord(" ")], byte_letters()[ord("a")]
    ('Ġ', 'a')
    """
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


class BytePair(tf.Module):
    """Turn strings into ids of byte-level BPE, with TensorFlow ops that a SavedModel can hold.

    The steps are: split the text into words, to which a space before them belongs; then merge the
    bytes of each word, see `ftkeras.text._merges`. Most words are one token, and are looked up
    whole.

    The ids equal those of Hugging Face's `tokenizers` (ByteLevel, BPE) on every string. Special
    tokens in a text are ordinary text: "</s>" is a word. Tokens that a checkpoint has added are
    recognized before all else. Bytes that are not UTF-8 become U+FFFD.
    Source: Radford et al., 2019; Liu et al., 2019, https://arxiv.org/abs/1907.11692.

    Args:
        vocabulary: the tokens, by id, each of them once; a letter stands for each byte, see
            `byte_letters`. Includes all bytes that occur in UTF-8, the special tokens and the added
            ones.
        merges: pairs of tokens that become one, the first ones first.
        add_prefix_space: whether a text that does not start with a space gets one. Not together
            with added tokens.
        style: a key of `_frames.STYLES`: the names of special tokens, and how they frame texts.
        compose: whether texts are normalized to Unicode's form NFC.
        added_tokens: tokens that are recognized in texts, in ASCII.

    Attributes:
        pad_id, unknown_id, cls_id, sep_id: ids of the special tokens; in GPT-2's style, which has
            no others, all of them the id of <|endoftext|>.

    Call:
        texts: string [batch].
        Returns ids without special tokens, int32 ragged [batch, (pieces)].

    Raises:
        ValueError: if the vocabulary lacks a special token or a byte or has a token twice, or if
            merges are not in the order in which training finds them.

    >>> vocabulary = ["<s>", "<pad>", "</s>", "<unk>", *byte_letters(), "hi", "Ġhi"]
    >>> tokenizer = BytePair(vocabulary=vocabulary, merges=[("h", "i"), ("Ġ", "hi")])
    >>> [vocabulary[id] for id in tokenizer(["hi hi!"]).to_list()[0]]
    ['hi', 'Ġhi', '!']
    """

    segments: int = 1

    def __init__(
        self,
        *,
        vocabulary: Sequence[str],
        merges: Sequence[tuple[str, str]],
        add_prefix_space: bool = False,
        style: str = "roberta",
        compose: bool = False,
        added_tokens: Sequence[AddedToken] = (),
    ):
        super().__init__()
        self.style, self.compose, self.added_tokens = style, compose, tuple(added_tokens)
        specials = STYLES[style].specials
        self.specials = STYLES[style].counts
        self.vocabulary, self.add_prefix_space = tuple(vocabulary), bool(add_prefix_space)
        self._pairs = tuple((first, second) for first, second in merges)
        letters = byte_letters()
        required = [each for byte, each in enumerate(letters) if byte not in _NOT_IN_UTF_8]
        ids = ids_of_tokens(self.vocabulary, specials, required)
        self.cls_id, self.pad_id, self.sep_id, self.unknown_id = (ids[t] for t in specials)
        # Texts are valid UTF-8 before they are looked up, so the other bytes may have any id.
        self._byte_ids = np.array([ids.get(each, self.unknown_id) for each in letters], np.int64)
        self._sizes = np.array([len(token) for token in self.vocabulary], np.int64)
        self._splitters = _splitters(self.added_tokens, ids, self.add_prefix_space)
        # The numbers of spaces at the ends of each token, which its offsets do not include.
        space = letters[ord(" ")] + " "
        lead, trail = (
            [len(token) - len(strip(token, space)) for token in self.vocabulary]
            for strip in (str.lstrip, str.rstrip)
        )
        self._lead, self._trail = np.array(lead, np.int64), np.array(trail, np.int64)
        self._merges = Merges(ids, self._pairs)
        self._whole = self._whole_words(letters)

    def _whole_words(self, letters: list[str]) -> tf.lookup.StaticHashTable:
        """Return a table from words that merge to one token to that token's id."""
        byte = {letter: number for number, letter in enumerate(letters)}
        tokens = [i for i, t in enumerate(self.vocabulary) if t and byte.keys() >= set(t)]
        words = [bytes(map(byte.__getitem__, self.vocabulary[i])) for i in tokens]
        with tf.init_scope():
            merged = self._merge_words(tf.constant(words))
            first = tf.gather(merged.flat_values, merged.row_starts()).numpy()
            whole = np.flatnonzero((merged.row_lengths().numpy() == 1) & (first == tokens))
        table = tf.lookup.KeyValueTensorInitializer(
            tf.constant([words[n] for n in whole]), np.array(tokens, np.int64)[whole]
        )
        return tf.lookup.StaticHashTable(table, default_value=-1)

    def __call__(self, texts: Tensor) -> Ragged:
        """Return the ids of texts, int32 ragged [batch, (pieces)]."""
        if not self._splitters and not self.compose:
            points = tf.strings.unicode_decode(self._prefixed(texts), "UTF-8", errors="replace")
            return self._ids_of_words(_byte_level_words.split(points))
        return self._ids_of_parts(self._parts(self._prefixed(texts)))

    def _parts(self, texts: Tensor) -> Parts:
        """Return the parts of texts between added tokens, normalized."""
        parts = _text_parts.whole(texts)
        if RAW in self._splitters:
            parts = self._splitters[RAW](parts)
        if self.compose:
            parts = _text_parts.composed(parts)
        return self._splitters[NORMALIZED](parts) if NORMALIZED in self._splitters else parts

    def _ids_of_parts(self, parts: Parts) -> Ragged:
        return parts.by_text(self._ids_of_words(_byte_level_words.split(parts.others)))

    def with_offsets(self, texts: Tensor) -> tuple[Ragged, Ragged, Ragged]:
        """Return the ids of texts, and where each token starts and ends in its text.

        A token with some bytes of a character spans the character. Spaces at a token's ends are
        outside, as in transformers' RobertaTokenizer.

        Args:
            texts: string [batch].

        Returns:
            ids, int32 ragged [batch, (pieces)], equal to those of a call; starts and ends, int64
            ragged [batch, (pieces)], in bytes of the original texts.
        """
        prefixed = self._prefixed(texts)
        added = tf.cast(tf.strings.length(prefixed) - tf.strings.length(texts), tf.int64)
        parts = self._parts(prefixed)
        ids, points = self._ids_of_parts(parts), parts.points
        added = tf.gather(added, tf.gather(parts.texts, points.value_rowids()))
        starts, ends = (tf.maximum(part - added, 0) for part in (parts.starts, parts.ends))
        by_byte = tf.repeat(tf.range(tf.size(starts)), byte_lengths(points.flat_values))
        stops = tf.cumsum(tf.gather(self._sizes, ids.flat_values))
        firsts = stops - tf.gather(self._sizes, ids.flat_values)
        starts = tf.gather(starts, tf.gather(by_byte, firsts))
        ends = tf.gather(ends, tf.gather(by_byte, stops - 1))
        starts, ends = self._without_spaces(ids, starts, ends)
        return ids, ids.with_flat_values(starts), ids.with_flat_values(ends)

    def _without_spaces(self, ids: Ragged, starts: Tensor, ends: Tensor) -> tuple[Tensor, Tensor]:
        """Exclude the spaces at tokens' ends; Rust's `process_offsets` does it in this order."""
        lead, trail = (tf.gather(table, ids.flat_values) for table in (self._lead, self._trail))
        if self.add_prefix_space:
            text = ids.value_rowids()
            is_first = tf.concat([tf.ones_like(text[:1], tf.bool), text[1:] != text[:-1]], axis=0)
            # One space may be the added one; several were in the text.
            lead = tf.where((is_first | (starts == 0)) & (lead == 1), tf.zeros_like(lead), lead)
        starts = tf.minimum(starts + lead, ends)
        return starts, tf.where(ends >= trail, tf.maximum(ends - trail, starts), ends)

    def _prefixed(self, texts: Tensor) -> Tensor:
        texts = tf.convert_to_tensor(texts, tf.string)
        if not self.add_prefix_space:
            return texts
        needs = ~tf.strings.regex_full_match(texts, r"(?s)( .*)?")
        return tf.where(needs, tf.strings.join([" ", texts]), texts)

    def _ids_of_words(self, words: Ragged) -> Ragged:
        distinct, index = tf.unique(words.flat_values)
        ids = self._whole.lookup(distinct)
        is_whole = ids >= 0
        lengths = tf.cast(is_whole, tf.int64)
        whole = ragged_tensors.from_row_lengths(tf.boolean_mask(ids, is_whole), lengths)
        rest = self._merge_words(tf.where(is_whole, "", distinct))
        ids_of_words = tf.cast(tf.concat([whole, rest], axis=1), tf.int32)
        return words.with_flat_values(tf.gather(ids_of_words, index)).merge_dims(1, 2)

    def _merge_words(self, words: Tensor) -> Ragged:
        codes = tf.io.decode_raw(tf.strings.reduce_join(words), tf.uint8)
        ids = tf.gather(self._byte_ids, tf.cast(codes, tf.int32))
        lengths = tf.cast(tf.strings.length(words), tf.int64)
        return self._merges(ragged_tensors.from_row_lengths(ids, lengths))

    @property
    def special_ids(self) -> tuple[int, ...]:
        """The ids that `frame` adds."""
        return (self.cls_id, self.sep_id) if STYLES[self.style].framed else ()

    def frame(self, first: Ragged, second: Ragged | None = None) -> dict[str, Ragged]:
        """Return <s> a </s>, or <s> a </s></s> b </s>, or BERT's frames, all of segment 0.

        GPT-2's are a, and a b, without special tokens. An empty text becomes a space, as a model
        needs a token to read.
        """
        style = STYLES[self.style]
        if not style.framed:
            return unframed(first, second, blank=int(self._byte_ids[ord(" ")]))
        return joined(first, second, start=self.cls_id, end=self.sep_id, between=style.between)

    @classmethod
    def from_folder(cls, folder: pathlib.Path) -> "BytePair":
        """Read the tokenizer of a Hugging Face checkpoint.

        It is in tokenizer.json or, if there is none, in vocab.json and merges.txt.

        Raises:
            UserError: if there is neither, or the tokenizer is of another kind.
        """
        try:
            return cls(**_byte_pair_files.read(pathlib.Path(folder)))
        except ValueError as error:
            raise UserError(f"`encoder`: {folder} has an invalid vocabulary: {error}") from None

    def pieces(self) -> Pieces:
        """Return the kinds of the tokens: special ones, and those that begin words."""
        byte = {letter: number for number, letter in enumerate(byte_letters())}
        whole = [bytes(byte[letter] for letter in t if letter in byte) for t in self.vocabulary]
        firsts, lasts = zip(*map(kinds_of_ends, whole), strict=True)
        return Pieces(self, [token.startswith(b" ") for token in whole], firsts, lasts)

    def identity(self) -> dict[str, Any]:
        """Return the settings, besides the vocabulary, that the ids depend on."""
        merges = hashlib.sha256(repr(self._pairs).encode()).hexdigest()
        return {
            "add_prefix_space": self.add_prefix_space,
            "merges": merges,
            "style": self.style,
            "compose": self.compose,
            "added_tokens": [list(token) for token in self.added_tokens],
        }

    def save(
        self,
        folder: pathlib.Path,
        *,
        max_length: int | None = None,
        segments: bool = True,
        cut_side: str | None = None,
    ) -> None:
        """Write the files that transformers reads: vocab.json and merges.txt, or tokenizer.json.

        Args:
            folder: the folder to write to.
            max_length: the tokens that transformers truncates texts to; None for no limit.
            segments: ignored, as there are none.
            cut_side: where transformers truncates them: right or left; None for its default.

        Raises:
            ValueError: if `folder` has a tokenizer.json, which would be read instead.
        """
        _byte_pair_files.write(
            pathlib.Path(folder),
            vocabulary=self.vocabulary,
            merges=self._pairs,
            add_prefix_space=self.add_prefix_space,
            style=self.style,
            compose=self.compose,
            added_tokens=self.added_tokens,
            max_length=max_length,
            cut_side=cut_side,
        )


def _splitters(
    added: Sequence[AddedToken], ids: Mapping[str, int], add_prefix_space: bool
) -> dict[str, Splitter]:
    """Return the splitters at added tokens, for raw and for normalized texts; check the tokens."""
    if added and add_prefix_space:
        raise ValueError("`added_tokens` must be empty with add_prefix_space=True.")
    for token in added:
        printable = token.content.isascii() and token.content.isprintable()
        if not token.content or not printable or ids.get(token.content) != token.id:
            raise ValueError(
                "`added_tokens` must be printable ASCII with their ids in the vocabulary. "
                f"Received: {token.content!r} with id {token.id}."
            )
    kinds = {
        RAW: [token for token in added if not token.normalized],
        NORMALIZED: [token for token in added if token.normalized],
    }
    for inner in kinds[NORMALIZED]:
        if outer := next((t for t in kinds[RAW] if inner.content in t.content), None):
            raise ValueError(
                "`added_tokens` must not contain one another, one normalized and one not. "
                f"Received: {inner.content!r} and {outer.content!r}."
            )
    return {kind: Splitter(tokens) for kind, tokens in kinds.items() if tokens}
