"""A Keras model that gives texts several labels."""

import os
from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import numpy as np

from ftkeras.api.labelled_text_model import LabelledTextModel, check_labels
from ftkeras.api.string_model import is_column
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

    has_classes: ClassVar[bool] = False

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

    def _answers(self, x: Any, y: Any) -> Any:
        """Return answers as Keras takes them: a matrix of zeros and ones instead of names."""
        if y is None or not is_column(y):
            return y
        if getattr(y, "ndim", 1) == 2:  # an array, or a table with a column for each label
            return np.asarray(y)
        rows = list(y)
        if rows and all(isinstance(row, str) for row in rows):
            raise ValueError(
                f"`y` must have a list of labels for each text. Received: {rows[0]!r}."
            )
        named = [is_column(row) or isinstance(row, set | frozenset) for row in rows]
        if not all(named) or any(not isinstance(one, str) for row in rows for one in row):
            return np.asarray(y)
        numbers = self._numbers(one for row in rows for one in row)
        matrix = np.zeros((len(rows), len(numbers)), "float32")
        for row, names in zip(matrix, rows, strict=True):
            row[[numbers[name] for name in names]] = 1
        return matrix
