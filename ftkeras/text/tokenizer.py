"""The interface of a tokenizer."""

import pathlib
from typing import TYPE_CHECKING, Any, Protocol

import tensorflow as tf

if TYPE_CHECKING:
    from ftkeras.text.pieces import Pieces


class Tokenizer(Protocol):
    """Turn texts into token ids, with TensorFlow ops that a SavedModel can hold.

    Attributes:
        vocabulary: the tokens, by id.
        pad_id: the id that fills rows up.
        unknown_id: the id of what the vocabulary has no token for.
        special_ids: the ids that `frame` adds.
        specials: how many ids `frame` adds to a text, and to a pair of texts.
        segments: how many segment ids `frame` gives to a pair: 2, or 1 if all are 0.
    """

    vocabulary: tuple[str, ...]
    pad_id: int
    unknown_id: int
    specials: tuple[int, int]
    segments: int

    @property
    def special_ids(self) -> tuple[int, ...]: ...

    def __call__(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Return the ids of texts, string [batch] -> int32 [batch, (pieces)], without specials."""
        ...

    def with_offsets(
        self, texts: tf.Tensor
    ) -> tuple[tf.RaggedTensor, tf.RaggedTensor, tf.RaggedTensor]:
        """Return the ids of texts, and each token's start and end in bytes of its text."""
        ...

    def frame(
        self, first: tf.RaggedTensor, second: tf.RaggedTensor | None = None
    ) -> dict[str, tf.RaggedTensor]:
        """Add special tokens to texts, or to pairs of texts.

        Args:
            first: ids, int32 ragged [batch, (pieces)].
            second: ids of the second texts, or None.

        Returns:
            "token_ids" and, for pairs, "segment_ids", int32 ragged [batch, (length)].
        """
        ...

    def pieces(self) -> "Pieces":
        """Return the kinds of the tokens: special ones, and those that begin words.

        Raises:
            UserError: if there is no mask token.
        """
        ...

    def identity(self) -> dict[str, Any]:
        """Return all settings that the ids depend on, JSON-serializable."""
        ...

    def save(
        self,
        folder: pathlib.Path,
        *,
        max_length: int | None = None,
        segments: bool = True,
        cut_side: str | None = None,
    ) -> None:
        """Write the tokenizer's files in Hugging Face's format.

        Args:
            folder: the folder to write to.
            max_length: the tokens that transformers truncates texts to; None for no limit.
            segments: whether transformers passes segment ids to the model.
            cut_side: where transformers truncates them: right or left; None for its default.
        """
        ...
