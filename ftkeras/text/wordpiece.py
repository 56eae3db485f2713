"""WordPiece, in graph: the ids that a checkpoint's own tokenizer gives."""

import pathlib
from collections.abc import Sequence

import tensorflow as tf
import tensorflow_text as tf_text

from ftkeras.errors import UserError
from ftkeras.text import _folder
from ftkeras.text._spellings import NOTHING, PAGE, SELF, WALL, spellings

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
MAX_WORD_CHARACTERS = 100
_ASCII = r"[\x00-\x7f]*"
_ASCII_CONTROLS = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+"
_ASCII_PUNCTUATION = r"([!-/:-@\[-`{-~])"


class WordPiece(tf.Module):
    """Strings to WordPiece ids, as TensorFlow ops that a SavedModel can hold.

    clean -> space out CJK -> NFD, drop accents -> lower -> split at spaces and punctuation ->
    longest matching pieces, left to right. A word of over 100 characters, or with no match, is
    [UNK].

    The ids equal those of Hugging Face's `tokenizers` (BertNormalizer, BertPreTokenizer, WordPiece)
    on every string. Text is data: "[SEP]" in it is three words. Bytes that are not UTF-8 go.
    Source: Schuster and Nakajima, 2012; Devlin et al., 2019, https://arxiv.org/abs/1810.04805;
    Song et al., 2021, https://arxiv.org/abs/2012.15524.

    Args:
        vocabulary: the tokens, by id; each once, with [PAD], [UNK], [CLS] and [SEP].
        lowercase: lower-case the text, character by character.
        strip_accents: decompose (NFD) and drop non-spacing marks; None does as `lowercase` does.
        split_chinese: make each CJK ideograph a word.

    Call: texts, string [batch] -> ids, int32 ragged [batch, (pieces)], without special tokens.

    Raises:
        ValueError: where the vocabulary lacks a special token, repeats a token or has an empty one.
    """

    def __init__(
        self,
        *,
        vocabulary: Sequence[str],
        lowercase: bool = True,
        strip_accents: bool | None = None,
        split_chinese: bool = True,
    ):
        super().__init__()
        self.vocabulary = tuple(vocabulary)
        specials = _special_ids(tuple(vocabulary))
        self.pad_id, self.unknown_id, self.cls_id, self.sep_id = specials
        self.lowercase = bool(lowercase)
        self.strip_accents = self.lowercase if strip_accents is None else bool(strip_accents)
        self.split_chinese = bool(split_chinese)
        self._tables = spellings(self.lowercase, self.strip_accents, self.split_chinese)
        self._pieces = tf_text.FastWordpieceTokenizer(
            list(vocabulary),
            token_out_type=tf.int32,
            unknown_token="[UNK]",
            no_pretokenization=True,
            max_bytes_per_word=4 * MAX_WORD_CHARACTERS,
        )

    def __call__(self, texts) -> tf.RaggedTensor:
        """Texts, string [batch] -> ids, int32 [batch, (pieces)]."""
        words = self.words(texts)
        characters = tf.strings.length(words.flat_values, unit="UTF8_CHAR")
        short = tf.where(characters > MAX_WORD_CHARACTERS, "[UNK]", words.flat_values)
        return words.with_flat_values(self._pieces.tokenize(short)).merge_dims(1, 2)

    def words(self, texts) -> tf.RaggedTensor:
        """Texts, string [batch] -> normalized words, string [batch, (words)]."""
        texts = tf.convert_to_tensor(texts, tf.string)
        plain = tf.strings.regex_full_match(texts, _ASCII)
        others = self._respell(tf.where(plain, "", texts))
        return tf.strings.split(tf.where(plain, self._respell_ascii(texts), others))

    def _respell_ascii(self, texts: tf.Tensor) -> tf.Tensor:
        # What `_respell` does, several times faster; most texts in English are ASCII.
        texts = tf.strings.regex_replace(texts, _ASCII_CONTROLS, "")
        texts = tf.strings.lower(texts) if self.lowercase else texts
        return tf.strings.regex_replace(texts, _ASCII_PUNCTUATION, r" \1 ")

    def _respell(self, texts: tf.Tensor) -> tf.Tensor:
        """Normalized texts, with spaces around what is a word by itself."""
        tables = self._tables
        points = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
        flat = points.flat_values
        page = tf.gather(tables.pages, flat // PAGE)
        rows = tf.gather(tables.rows, page * PAGE + flat % PAGE)
        units = tf.gather(tables.units, rows)
        units = tf.where(units == SELF, flat[:, tf.newaxis], units)
        text = tf.broadcast_to(points.value_rowids()[:, tf.newaxis], tf.shape(units))
        there = units != NOTHING
        units, text = tf.boolean_mask(units, there), tf.boolean_mask(text, there)

        def in_order():
            return _ordered(units, text, tf.boolean_mask(tf.gather(tables.classes, rows), there))

        # Sorting takes longer than all else here, and hardly a text has marks that could move.
        units = tf.cond(tf.reduce_any(rows >= tables.first_movable), in_order, lambda: units)
        seen = units != WALL
        units, text = tf.boolean_mask(units, seen), tf.boolean_mask(text, seen)
        spelled = tf.RaggedTensor.from_value_rowids(units, text, points.nrows(), validate=False)
        return tf.strings.unicode_encode(spelled, "UTF-8")

    @classmethod
    def from_folder(cls, folder: pathlib.Path) -> "WordPiece":
        """The tokenizer in a Hugging Face checkpoint's folder.

        tokenizer.json decides where there is one, else vocab.txt and tokenizer_config.json.

        Raises:
            UserError: where there is no such file, or a tokenizer of another kind.
        """
        return cls._from_files(folder, _folder.read(pathlib.Path(folder)))

    @classmethod
    def from_vocabulary(cls, path: pathlib.Path, *, lowercase: bool = True) -> "WordPiece":
        """A vocabulary file, UTF-8, one token a line.

        Raises:
            UserError: where it cannot be read, or is no vocabulary that will do.
        """
        vocabulary = _folder.read_vocabulary(pathlib.Path(path))
        return cls._from_files(path, {"vocabulary": vocabulary, "lowercase": lowercase})

    @classmethod
    def _from_files(cls, path: pathlib.Path, arguments: dict) -> "WordPiece":
        try:
            return cls(**arguments)
        except ValueError as error:
            raise UserError(f"`encoder`: {path} holds a vocabulary that fails: {error}") from None

    def save(self, folder: pathlib.Path) -> None:
        """Writes vocab.txt and tokenizer_config.json, as `from_folder` and transformers read them.

        Raises:
            ValueError: where a token would not survive a file of lines, or where `folder` has a
                tokenizer.json, which would be read in their stead.
        """
        _folder.write(
            pathlib.Path(folder),
            vocabulary=self.vocabulary,
            lowercase=self.lowercase,
            strip_accents=self.strip_accents,
            split_chinese=self.split_chinese,
        )


def _ordered(units: tf.Tensor, text: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    """Canonical ordering (Unicode Standard, D109): runs of marks sorted by class, stably.

    Runs end where the class is 0 and where a text does.
    """
    run = tf.cumsum(tf.cast(classes == 0, tf.int64)) + text
    return tf.gather(units, tf.argsort(run * 256 + tf.cast(classes, tf.int64), stable=True))


def _special_ids(vocabulary: tuple[str, ...]) -> list[int]:
    """The ids of SPECIAL_TOKENS."""
    ids = {token: index for index, token in enumerate(vocabulary)}
    missing = [token for token in SPECIAL_TOKENS if token not in ids]
    if missing:
        raise ValueError(
            f"`vocabulary` must hold {', '.join(SPECIAL_TOKENS)}. "
            f"Received: {len(vocabulary)} tokens without {', '.join(missing)}."
        )
    if len(ids) < len(vocabulary) or "" in ids:
        odd = next(token for i, token in enumerate(vocabulary) if ids[token] != i or not token)
        raise ValueError(
            "`vocabulary` must hold each token once, and none that is empty. "
            f"Received: {odd!r} {vocabulary.count(odd)} times."
        )
    return [ids[token] for token in SPECIAL_TOKENS]
