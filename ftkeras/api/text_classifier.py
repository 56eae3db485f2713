"""A Keras model that classifies texts."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from ftkeras import encoders, text
from ftkeras.heads.classification import Classification
from ftkeras.text.preprocessor import Preprocessor, as_strings

# What a model of pairs is called with.
COLUMNS = ("text", "pair")


@keras.saving.register_keras_serializable(package="ftkeras")
class TextClassifier(keras.Model):
    """A Keras model that takes raw strings and returns the probability of each label.

    It is a functional model of three layers, `preprocessor`, `encoder` and `head`, so `compile`,
    `fit`, `evaluate`, `predict`, `save`, `export` and callbacks work as usual. In addition, texts
    may be a list, an array or a column of a DataFrame, and labels may be names. To start from a
    checkpoint, use `from_pretrained`.

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
        _check_labels(labels)
        if head.classes != len(labels):
            raise ValueError(
                f"`labels` must be {head.classes} names, one for each output of the head. "
                f"Received: {labels!r}."
            )
        names = COLUMNS if pairs else COLUMNS[:1]
        inputs = {name: keras.Input((), dtype="string", name=name) for name in names}
        tokens = preprocessor(*inputs.values())
        features = encoder(**tokens, every_token=head.needs_every_token)
        logits = head(features, tokens["padding_mask"])
        # In float32 also under mixed precision.
        answer = keras.layers.Activation(activation, dtype="float32", name="answer")
        super().__init__(
            inputs=inputs if pairs else inputs["text"], outputs=answer(logits), name=name
        )
        self.preprocessor, self.encoder, self.head = preprocessor, encoder, head
        self.labels, self.pairs, self.activation = tuple(labels), pairs, activation

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
        _check_labels(labels)
        preprocessor = text.from_pretrained(encoder, max_length, **kwargs)
        network = encoders.from_pretrained(encoder, pooler=pooling == "pooled", seed=seed)
        if max_length > network.positions:
            raise ValueError(
                f"`max_length` must be at most {network.positions}, the encoder's number of "
                f"positions. Received: {max_length}."
            )
        head = Classification(classes=len(labels), dropout=dropout, pooling=pooling, seed=seed)
        return cls(
            preprocessor=preprocessor,
            encoder=network,
            head=head,
            labels=labels,
            pairs=pairs,
            activation=activation,
            name=name,
        )

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Train as `keras.Model.fit`. Texts may be a list; labels may be names or numbers."""
        if isinstance(validation_data, tuple):
            texts, answers, *weights = validation_data
            validation_data = (self._texts(texts), self._answers(answers), *weights)
        return super().fit(
            self._texts(x),
            self._answers(y),
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_split=validation_split,
            validation_data=validation_data,
            **kwargs,
        )

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Evaluate as `keras.Model.evaluate`. Texts may be a list; labels may be names."""
        return super().evaluate(self._texts(x), self._answers(y), *args, **kwargs)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> np.ndarray:
        """Return the probability of each label, float32 [texts, labels]. Texts may be a list."""
        return super().predict(self._texts(x), *args, **kwargs)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(inputs, Mapping):
            inputs = {name: as_strings(column) for name, column in inputs.items()}
        else:
            inputs = as_strings(inputs)
        return super().__call__(inputs, *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        parts = {"preprocessor": self.preprocessor, "encoder": self.encoder, "head": self.head}
        return {
            **{name: keras.saving.serialize_keras_object(part) for name, part in parts.items()},
            "labels": list(self.labels),
            "pairs": self.pairs,
            "activation": self.activation,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "TextClassifier":
        """Return the model of a configuration. Its tokenizer is read from assets afterwards."""
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("preprocessor", "encoder", "head")
        }
        return cls(**{**config, **parts})

    def _texts(self, x: Any) -> Any:
        """Return texts as Keras takes them: arrays of objects."""
        if isinstance(x, str):
            raise ValueError(f"`x` must be several texts, such as [text]. Received: {x!r}.")
        if isinstance(x, Mapping):
            return {name: _as_objects(column) for name, column in x.items()}
        return _as_objects(x)

    def _answers(self, y: Any) -> Any:
        """Return answers as Keras takes them: names of labels by their numbers."""
        if y is None or not _is_column(y):
            return y
        answers = np.asarray(y)
        if answers.dtype.kind not in "UO":
            return answers
        numbers = {label: number for number, label in enumerate(self.labels)}
        if unknown := sorted({str(name) for name in answers.flat} - set(numbers)):
            raise ValueError(
                f"`y` must be of the labels {', '.join(self.labels)}. Received: {unknown[0]}."
            )
        return np.array([numbers[str(name)] for name in answers.flat], "int32")


def _is_column(values: Any) -> bool:
    """Return whether values are a list, an array or a column of a DataFrame."""
    return isinstance(values, list | tuple | np.ndarray) or hasattr(values, "to_numpy")


def _as_objects(texts: Any) -> Any:
    """Return texts as an array of objects; datasets, generators and tensors as they are."""
    if not _is_column(texts):
        return texts
    found = np.asarray(texts, dtype=object)
    for value in found.flat:
        if not isinstance(value, str | bytes):
            raise ValueError(f"`x` must be texts. Received: {value!r}.")
    return found


def _check_labels(labels: Any) -> None:
    is_names = isinstance(labels, Sequence) and not isinstance(labels, str)
    is_names = is_names and all(isinstance(label, str) for label in labels)
    if not is_names or len(set(labels)) < max(2, len(labels)):
        raise ValueError(f"`labels` must be two or more different names. Received: {labels!r}.")
