"""SentencePiece's unigram model as TensorFlow ops, with the ids of a checkpoint's own tokenizer."""

import hashlib
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_text

from ftkeras.errors import UserError
from ftkeras.support import bounds
from ftkeras.text import _frames, _sentencepiece_model, _unigram_files
from ftkeras.text._alignment import byte_lengths, character_ends
from ftkeras.text._compatible import compatible_spellings, normalize
from ftkeras.text._frames import STYLES
from ftkeras.text._sentencepiece_model import BYTE, NORMAL, SPACE, UNIGRAM, UNKNOWN, USER_DEFINED
from ftkeras.text._unigram_layouts import LAYOUTS
from ftkeras.text.pieces import Pieces

# Normalization rules remove only characters of these blocks, or replace them by a space.
_BLANK_BLOCKS = (range(1, 0x3100), range(0xFE00, 0x10000))
Ragged = tf.RaggedTensor
Tensor = Any


class Unigram(tf.Module):
    """Turn strings into ids of a SentencePiece unigram model, with ops that a SavedModel can hold.

    A text is normalized by the model's rules. Its pieces are those with the largest sum of scores:
    log-probabilities, and that of the rarest piece less 10 for an unknown character. In a model
    with byte_fallback, such as DeBERTa-v3's, an unknown character becomes a piece for each of its
    bytes. The ids are the vocabulary's, whose order is often not the model's: XLM-RoBERTa's are
    larger by one.

    The ids are those of SentencePiece 0.1.96, which TensorFlow Text contains. Other versions, and
    Hugging Face's `tokenizers`, may choose another of several segmentations of equal score. Special
    tokens in a text are ordinary text. Bytes that are not UTF-8 become U+FFFD.
    Source: Kudo, 2018, https://arxiv.org/abs/1804.10959.

    Args:
        model: content of a SentencePiece model file.
        vocabulary: the tokens, by id, each of them once. Includes the model's pieces, <s>, <pad>,
            </s> and <unk>, or [CLS], [PAD], [SEP] and [UNK].
        layout: the class of transformers whose vocabulary it is, see `_unigram_layouts.LAYOUTS`.
        lowercase: in ALBERT's layout, whether to lower-case the text.
        strip_accents: in ALBERT's layout, whether to decompose the text (NFKD) and remove marks.

    Attributes:
        pad_id, unknown_id, cls_id, sep_id: ids of <pad>, <unk>, <s> and </s>, or their like.

    Call:
        texts: string [batch].
        Returns ids without special tokens, int32 ragged [batch, (pieces)].

    Raises:
        ValueError: if the model is not a unigram model, or if the vocabulary lacks one of its
            pieces or a special token or has a token twice.
    """

    def __init__(
        self,
        *,
        model: bytes,
        vocabulary: Sequence[str],
        layout: str,
        lowercase: bool = True,
        strip_accents: bool = True,
    ):
        super().__init__()
        bounds.choice(LAYOUTS, layout=layout)
        self._spellings, self._settings = None, {}
        if LAYOUTS[layout].normalizes:
            self._settings = {"lowercase": lowercase, "strip_accents": strip_accents}
            self._spellings = compatible_spellings(**self._settings)
        self.vocabulary, self.layout, self._model = tuple(vocabulary), layout, model
        style = STYLES[LAYOUTS[layout].style]
        self.specials, self.segments = style.counts, LAYOUTS[layout].segments
        ids = _frames.ids_of_tokens(self.vocabulary, style.specials)
        self.cls_id, self.pad_id, self.sep_id, self.unknown_id = (ids[t] for t in style.specials)
        content = _sentencepiece_model.parse(model)
        self._ids = _ids_of_pieces(content, ids, self.unknown_id)
        with tf.init_scope():  # or else the model would belong to a graph that is being traced
            self._pieces = tensorflow_text.SentencepieceTokenizer(model)
        self._blanks = self._find_blanks([set(p.piece) <= {SPACE} for p in content.pieces])

    def _find_blanks(self, is_blank: list[bool]) -> np.ndarray:
        """Return the characters that the model removes or replaces by a space.

        Args:
            is_blank: whether each piece has nothing but spaces.
        """
        points = np.array([point for block in _BLANK_BLOCKS for point in block], np.int32)
        with tf.init_scope():
            pieces = self._pieces.tokenize(tf.strings.unicode_encode(points[:, None], "UTF-8"))
            visible = pieces.with_flat_values(tf.gather(np.array(is_blank), pieces.flat_values))
            return points[tf.reduce_all(visible, axis=1).numpy()]

    def __call__(self, texts: Tensor) -> Ragged:
        """Return the ids of texts, int32 ragged [batch, (pieces)]."""
        texts = tf.convert_to_tensor(texts, tf.string)
        valid = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8")
        if self._spellings is not None:
            points = normalize(tf.strings.unicode_decode(valid, "UTF-8"), self._spellings).points
            valid = tf.strings.unicode_encode(points, "UTF-8")
        pieces: Any = self._pieces.tokenize(valid)
        return pieces.with_flat_values(tf.gather(self._ids, pieces.flat_values))

    def with_offsets(self, texts: Tensor) -> tuple[Ragged, Ragged, Ragged]:
        """Return the ids of texts, and where each token starts and ends in its text.

        White space at a token's ends is outside. A token without a character of its own, such as
        the space before a word or the "1" of "½", spans the next character of the text, or the
        one that it is part of. So it does in `tokenizers`.

        Args:
            texts: string [batch].

        Returns:
            ids, int32 ragged [batch, (pieces)], equal to those of a call; starts and ends, int64
            ragged [batch, (pieces)], in bytes of the original texts.
        """
        texts = tf.convert_to_tensor(texts, tf.string)
        points, starts = tf.strings.unicode_decode_with_offsets(texts, "UTF-8", errors="replace")
        starts, ends = starts.flat_values, character_ends(texts, starts).flat_values
        if self._spellings is not None:
            points, source = normalize(points, self._spellings)
            starts, ends = tf.gather(starts, source), tf.gather(ends, source)
        valid = tf.strings.unicode_encode(points, "UTF-8")
        pieces, first, limit = self._pieces.tokenize_with_offsets(valid)
        ids = pieces.with_flat_values(tf.gather(self._ids, pieces.flat_values))
        is_blank = tf.reduce_any(points.flat_values[:, tf.newaxis] == self._blanks, axis=1)
        first, last = _characters_of(points, is_blank, first, limit)
        spans = tf.gather(starts, first), tf.gather(ends, last)
        return ids, *(ids.with_flat_values(part) for part in spans)

    @property
    def special_ids(self) -> tuple[int, ...]:
        """The ids that `frame` adds."""
        return self.cls_id, self.sep_id

    def frame(self, first: Ragged, second: Ragged | None = None) -> dict[str, Ragged]:
        """Return <s> a </s>, or <s> a </s></s> b </s>, all of segment 0.

        In DeBERTa's layout, return [CLS] a [SEP], or [CLS] a [SEP] b [SEP] with segments 0 and 1.
        """
        frame = _frames.joined if self.segments == 1 else _frames.with_segments
        return frame(first, second, start=self.cls_id, end=self.sep_id)

    @classmethod
    def from_folder(cls, folder: pathlib.Path) -> "Unigram":
        """Read the tokenizer of a Hugging Face checkpoint.

        It is in a SentencePiece model or, if there is none, in tokenizer.json.

        Raises:
            UserError: if there is neither, if they differ, or if the tokenizer is of another kind.
        """
        try:
            return cls(**_unigram_files.read(pathlib.Path(folder)))
        except ValueError as error:
            raise UserError(f"`encoder`: {folder} has an invalid tokenizer: {error}") from None

    def pieces(self) -> Pieces:
        """Return the kinds of the tokens: special ones, and those that begin words."""
        return Pieces(self, [token.startswith(SPACE) for token in self.vocabulary])

    def identity(self) -> dict[str, Any]:
        """Return the settings, besides the vocabulary, that the ids depend on."""
        return {"model": hashlib.sha256(self._model).hexdigest(), **self._settings}

    def save(
        self,
        folder: pathlib.Path,
        *,
        max_length: int | None = None,
        segments: bool = True,
        cut_side: str | None = None,
    ) -> None:
        """Write the SentencePiece model and tokenizer_config.json, which transformers reads too.

        Args:
            folder: the folder to write to.
            max_length: the tokens that transformers truncates texts to; None for no limit.
            segments: ignored, as there are none.
            cut_side: where transformers truncates them: right or left; None for its default.

        Raises:
            ValueError: if `folder` has a tokenizer.json, which would be read instead.
        """
        _unigram_files.write(
            pathlib.Path(folder),
            model=self._model,
            layout=self.layout,
            max_length=max_length,
            cut_side=cut_side,
            **self._settings,
        )


def _ids_of_pieces(model: Any, ids: Mapping[str, int], unknown_id: int) -> np.ndarray:
    """Return the id of each of the model's pieces; raise ValueError if one has none."""
    if (kind := model.trainer.model_type) != UNIGRAM:
        raise ValueError(f"`model` must be a unigram model. Received: model_type={kind}.")
    table = np.full(len(model.pieces), unknown_id, np.int32)
    for number, piece in enumerate(model.pieces):
        if piece.type in (NORMAL, USER_DEFINED, BYTE) and piece.piece not in ids:
            raise ValueError(f"`vocabulary` must hold all pieces. Received: no {piece.piece!r}.")
        if piece.type != UNKNOWN:  # the others never result from a text
            table[number] = ids.get(piece.piece, unknown_id)
    return table


def _characters_of(
    points: Ragged, is_blank: Tensor, first: Ragged, limit: Ragged
) -> tuple[Tensor, Tensor]:
    """Return each token's first and last character, as numbers over all texts, int64 [tokens].

    Args:
        points: the code points of texts, ragged [batch, (characters)].
        is_blank: which of them tokens do not start or end with, bool [all characters].
        first: where tokens start in the texts' UTF-8, in bytes, integer ragged [batch, (tokens)].
        limit: where they end.
    """
    ends = tf.cumsum(tf.cast(byte_lengths(points.flat_values), tf.int64))
    text = first.value_rowids()
    base = tf.gather(tf.concat([[0], ends], axis=0), tf.gather(points.row_starts(), text))

    def number(offsets: Ragged) -> Tensor:
        """Return how many characters of all texts end at or before an offset."""
        values = tf.cast(offsets.flat_values, tf.int64) + base
        return tf.searchsorted(ends, values, side="right", out_type=tf.int64)

    # The first visible character from the start on, and the last one before the end.
    visible = tf.where(~is_blank)[:, 0]
    start = tf.searchsorted(visible, number(first), out_type=tf.int64)
    start = tf.gather(tf.concat([visible, [0]], axis=0), start)
    start = tf.clip_by_value(start, number(first), tf.gather(points.row_limits(), text) - 1)
    before = tf.searchsorted(visible, number(limit))
    last = tf.gather(tf.concat([[0], visible], axis=0), before)
    return start, tf.maximum(start, last)
