"""A Keras model that classifies texts."""

import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from ftkeras.api import compiled
from ftkeras.api.answer_numbers import Numbers
from ftkeras.api.columns import columns_of, rank
from ftkeras.api.label_numbers import refuse_ambiguous
from ftkeras.api.labelled_text_model import (
    NAMES,
    LabelledTextModel,
    check_labels,
    number_of,
    numbered,
)
from ftkeras.heads.classification import Classification
from ftkeras.text.preprocessor import Preprocessor

# The smallest number of classes.
LEAST = 2


@keras.saving.register_keras_serializable(package="ftkeras")
class TextClassifier(LabelledTextModel):
    """A Keras model that takes raw strings and returns the probability of each label.

    It is a functional model, so `compile`, `fit`, `evaluate`, `predict`, `save`, `export` and
    callbacks work as usual. Its parts are the attributes `preprocessor`, `encoder` and `head`;
    `get_layer` finds the encoder under the name that Keras gives it, such as "bert_1". In addition,
    texts may be a list, an array or a column of a DataFrame, and labels may be names, also those of
    `class_weight`. To start from a checkpoint, use `from_pretrained`.

    Args:
        preprocessor: layer that turns texts into token ids.
        encoder: layer that turns token ids into hidden states.
        head: layer that turns hidden states into logits.
        labels: the names of the classes, strings in the order of the head's outputs.
        pairs: whether the model takes pairs of texts, {"text": …, "pair": …}.
        activation: "softmax" to return probabilities, or "linear" to return logits.
        name: the model's name.

    Attributes:
        preprocessor, encoder, head: the layers.
        labels: the names of the classes, a tuple.

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
        activation: str = "softmax",
        name: str = "text_classifier",
    ):
        super().__init__(
            labels=labels,
            outputs=head.classes,
            least=LEAST,
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
        activation: str = "softmax",
        seed: int | None = None,
        name: str = "text_classifier",
        **kwargs: Any,
    ) -> "TextClassifier":
        """Return a model with the encoder and tokenizer of a checkpoint, and a new head.

        Args:
            encoder: a folder with config.json and weights, or a Hugging Face Hub id such as
                `bert-base-uncased`, which is downloaded unless it is in the cache.
            labels: the names of the classes, at least two. Class `i` is `labels[i]`.
            max_length: the maximum number of tokens per text, including special tokens.
            pairs: whether the model takes pairs of texts, {"text": …, "pair": …}.
            dropout: the dropout rate of the head, in [0, 1).
            pooling: the vector that the head reads: "pooled", "cls" or "mean"; see
                `ftkeras.heads.Classification`.
            activation: "softmax" to return probabilities, or "linear" to return logits, as
                `ftkeras.losses` and losses with `from_logits=True` require.
            seed: integer that determines new weights and dropout, or None.
            name: the model's name.
            **kwargs: `truncation` and `fixed_length` of `ftkeras.text.Preprocessor`.

        Raises:
            UserError: if the checkpoint does not exist or is not supported.
            ValueError: if an argument is wrong. The message names it.
        """
        check_labels(labels, LEAST)
        pooler = pooling == "pooled"
        parts = cls.read(encoder, max_length=max_length, pooler=pooler, seed=seed, **kwargs)
        head = Classification(classes=len(labels), dropout=dropout, pooling=pooling, seed=seed)
        settings = {"labels": labels, "pairs": pairs, "activation": activation, "name": name}
        return cls(**parts, head=head, **settings)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.labels

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        **kwargs: Any,
    ) -> None:
        """Compile as `keras.Model.compile`.

        Raises:
            ValueError: if a metric needs a matrix, but the loss takes the numbers of classes.
        """
        compiled.check_metrics(loss, metrics, weighted_metrics)
        super().compile(optimizer, loss, loss_weights, metrics, weighted_metrics, **kwargs)

    def compile_from_config(self, config: Any) -> None:
        """Compile a loaded model as it was saved, as Keras does where `compile` is its own."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            self.optimizer.build(self.trainable_variables)

    def _answers(self, x: Any, y: Any) -> np.ndarray:
        """Return the numbers of classes, or their probabilities."""
        columns = columns_of(y)
        if columns is not None and len(columns) > 1:
            y = self._stacked(x, columns)
        found = super()._answers(x, y)
        if found.dtype != object:
            if found.size == len(found):  # one number each, not a matrix
                refuse_ambiguous(self.labels, found.flat[0], "y")
            return found
        numbers = numbered(self.labels)
        named = [number_of(numbers, name, place) for place, name in enumerate(found.flat)]
        return np.array(named, "int32").reshape(found.shape)

    def _numbers(self, x: Any, y: Any, loss: Any) -> Numbers:
        count = len(self.labels)
        of = f"the labels {', '.join(self.labels)}, or their numbers from 0 to {count - 1}"
        is_matrix = rank(y) == 2 and y.shape[1] == count
        takes_numbers = compiled.takes_numbers(loss)
        needs_matrix = compiled.is_of_keras(loss)
        if is_matrix if takes_numbers else (rank(y) and not is_matrix and needs_matrix):
            needs = of if takes_numbers else f"probabilities of shape (texts, {count})"
            other, name = "" if takes_numbers else "sparse_", compiled.name_of(loss)
            raise ValueError(
                f"`y` must be {needs}, for the loss {name!r}; other answers need another loss, "
                f"such as '{other}categorical_crossentropy'. Received: shape {tuple(y.shape)}."
            )
        if is_matrix:
            return Numbers("probabilities of the labels", width=count, low=0, high=1)
        return Numbers(of, low=0, high=count - 1, whole=True, remedy=NAMES)
