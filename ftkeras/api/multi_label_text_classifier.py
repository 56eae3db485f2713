"""A Keras model that gives texts several labels."""

import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ftkeras.api.answer_numbers import Numbers
from ftkeras.api.columns import columns_of, entries, is_column, plain, shown
from ftkeras.api.labelled_text_model import (
    LabelledTextModel,
    check_labels,
    number_of,
    numbered,
)
from ftkeras.heads.multi_label import MultiLabel
from ftkeras.text.preprocessor import Preprocessor


@keras.saving.register_keras_serializable(package="ftkeras")
class MultiLabelTextClassifier(LabelledTextModel):
    """A Keras model that takes raw strings and returns the probability of each label on its own.

    It is used like `ftkeras.TextClassifier`; a text may have no label, or several. Answers are a
    matrix of zeros and ones, [texts, labels], or for each text a list of labels. To start from a
    checkpoint, use `from_pretrained`.

    Args:
        preprocessor: layer that turns texts into token ids.
        encoder: layer that turns token ids into hidden states.
        head: layer that turns hidden states into logits.
        labels: the names of the labels, strings in the order of the head's outputs.
        pairs: whether the model takes pairs of texts, {"text": …, "pair": …}.
        activation: "sigmoid" to return probabilities, or "linear" to return logits.
        name: the model's name.

    Attributes:
        preprocessor, encoder, head: the layers.
        labels: the names of the labels, a tuple.

    Call: strings [batch], or a dict of two for pairs -> float32 [batch, labels].

    Raises:
        ValueError: if an argument is wrong. The message names it.
    """

    def __init__(
        self,
        *,
        preprocessor: Preprocessor,
        encoder: Any,
        head: Any,
        labels: Sequence[str],
        pairs: bool = False,
        activation: str = "sigmoid",
        name: str = "multi_label_text_classifier",
    ):
        super().__init__(
            labels=labels,
            outputs=head.outputs,
            least=1,
            preprocessor=preprocessor,
            encoder=encoder,
            head=head,
            pairs=pairs,
            activation=activation,
            name=name,
        )

    @classmethod
    def from_pretrained(
        cls,
        encoder: str | os.PathLike[str],
        labels: Sequence[str],
        *,
        max_length: int = 128,
        pairs: bool = False,
        dropout: float = 0.1,
        pooling: str = "pooled",
        activation: str = "sigmoid",
        seed: int | None = None,
        name: str = "multi_label_text_classifier",
        **kwargs: Any,
    ) -> "MultiLabelTextClassifier":
        """Return a model with the encoder and tokenizer of a checkpoint, and a new head.

        Args:
            encoder: a folder with config.json and weights, or a Hugging Face Hub id such as
                `bert-base-uncased`, which is downloaded unless it is in the cache.
            labels: the names of the labels. Output `i` is `labels[i]`.
            max_length: the maximum number of tokens per text, including special tokens.
            pairs: whether the model takes pairs of texts, {"text": …, "pair": …}.
            dropout: the dropout rate of the head, in [0, 1).
            pooling: the vector that the head reads: "pooled", "cls" or "mean"; see
                `ftkeras.heads.MultiLabel`.
            activation: "sigmoid" to return probabilities, or "linear" to return logits, as
                `ftkeras.losses.BinaryCrossEntropy` requires.
            seed: integer that determines new weights and dropout, or None.
            name: the model's name.
            **kwargs: `truncation` and `fixed_length` of `ftkeras.text.Preprocessor`.

        Raises:
            UserError: if the checkpoint does not exist or is not supported.
            ValueError: if an argument is wrong. The message names it.
        """
        check_labels(labels, least=1)
        head = MultiLabel(outputs=len(labels), dropout=dropout, pooling=pooling, seed=seed)
        pooler = head.needs_pooler
        parts = cls.read(encoder, max_length=max_length, pooler=pooler, seed=seed, **kwargs)
        settings = {"labels": labels, "pairs": pairs, "activation": activation, "name": name}
        return cls(**parts, head=head, **settings)

    def _answers(self, x: Any, y: Any) -> np.ndarray:
        """Return a matrix of zeros and ones instead of names."""
        columns = columns_of(y)
        if columns is not None:
            y = self._stacked(x, columns)
        elif not isinstance(y, np.ndarray | tf.Tensor) or np.asarray(y).dtype.kind not in "biuf":
            rows = entries(y, "y", "lists of labels")
            if not all(map(_is_numeric, rows)):
                y = self._matrix(rows)
        return super()._answers(x, y)

    def _matrix(self, rows: Sequence[Any]) -> np.ndarray:
        """Return zeros and ones instead of lists of names."""
        numbers = numbered(self.labels)
        matrix = np.zeros((len(rows), len(numbers)), "float32")
        for position, row in enumerate(rows):
            if not is_column(row) and not isinstance(row, set | frozenset):
                raise ValueError(
                    "`y` must have a list of labels for each text, such as [] or "
                    f"[{self.labels[0]!r}]. Received: {shown(row)} at position {position}."
                )
            for label in row:
                matrix[position, number_of(numbers, label, position)] = 1
        return matrix

    def _numbers(self, x: Any, y: Any, loss: Any) -> Numbers:
        width = len(self.labels)
        of = "lists of labels, or a matrix of zeros and ones with a column for each label"
        return Numbers(of, width=width, low=0, high=1, remedy="a column for each label")


def _is_numeric(row: Any) -> bool:
    """Return whether a row is one of a matrix, not a list of names."""
    is_list = is_column(row) and len(row) > 0
    return is_list and not any(isinstance(plain(value), str) for value in row)
