"""The interface of a tokenizer."""

import pathlib
from typing import Any, Protocol

import tensorflow as tf


class Tokenizer(Protocol):
    """Turn texts into token ids, with TensorFlow ops that a SavedModel can hold.

    Attributes:
        vocabulary: the tokens, by id.
        pad_id, cls_id, sep_id: the ids of [PAD], [CLS] and [SEP].
    """

    vocabulary: tuple[str, ...]
    pad_id: int
    cls_id: int
    sep_id: int

    def __call__(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Return the ids of texts, string [batch] -> int32 [batch, (pieces)], without specials."""
        ...

    def identity(self) -> dict[str, Any]:
        """Return all settings that the ids depend on, JSON-serializable."""
        ...

    def save(self, folder: pathlib.Path, *, max_length: int | None = None) -> None:
        """Write the tokenizer's files in Hugging Face's format."""
        ...
