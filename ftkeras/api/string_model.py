"""The base class of all Keras models on raw strings."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import keras
import numpy as np

from ftkeras import encoders, text
from ftkeras.text.preprocessor import Preprocessor, as_strings

Tensor = Any
# Computes a model's outputs from those of its head and of its preprocessor.
Answer = Callable[[Tensor, Mapping[str, Tensor]], Tensor]
# What an encoder is called with.
_IDS = ("token_ids", "padding_mask", "segment_ids")


class StringModel(keras.Model):
    """The base class of Keras models that take raw strings.

    It is a functional model of three layers, `preprocessor`, `encoder` and `head`, and one that
    turns the head's outputs into answers.

    Args:
        preprocessor: layer that turns texts into token ids.
        encoder: layer that turns token ids into hidden states.
        head: layer that turns hidden states into outputs.
        reads: what `preprocessor` has to read.
        columns: the names of the inputs; a single one is not in a dict.
        answer: turns the outputs of `head` into the model's, given those of `preprocessor`.
        name: the model's name.

    Raises:
        ValueError: if `preprocessor` reads something else.
    """

    # Whether each example has one class, so that Keras can weigh it.
    has_classes: ClassVar[bool] = True

    def __init__(
        self,
        *,
        preprocessor: Preprocessor,
        encoder: Any,
        head: Any,
        reads: str,
        columns: Sequence[str],
        answer: Answer,
        name: str,
    ):
        if preprocessor.reads != reads:
            raise ValueError(
                f"`preprocessor` must be made with reads={reads!r}. "
                f"Received: reads={preprocessor.reads!r}."
            )
        inputs = {name: keras.Input((), dtype="string", name=name) for name in columns}
        features, tokens = encode(preprocessor, encoder, *inputs.values(), head=head)
        outputs = answer(head(features, tokens["padding_mask"]), tokens)
        given = inputs if len(columns) > 1 else inputs[columns[0]]
        super().__init__(inputs=given, outputs=outputs, name=name)
        self.preprocessor, self.encoder, self.head = preprocessor, encoder, head
        self.columns = tuple(columns)

    @staticmethod
    def read(
        encoder: str | os.PathLike[str],
        *,
        max_length: int,
        pooler: bool,
        seed: int | None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Return the preprocessor and the encoder of a checkpoint.

        Args:
            encoder: the checkpoint.
            max_length: the maximum number of tokens per text.
            pooler: whether the head needs the encoder's pooler.
            seed: integer that determines new weights and dropout, or None.
            **kwargs: other arguments of `Preprocessor`.

        Raises:
            UserError: if the checkpoint does not exist or is not supported.
            ValueError: if an argument is wrong. The message names it.
        """
        preprocessor = text.from_pretrained(encoder, max_length, **kwargs)
        network = encoders.from_pretrained(encoder, pooler=pooler, seed=seed)
        if max_length > network.positions:
            raise ValueError(
                f"`max_length` must be at most {network.positions}, the encoder's number of "
                f"positions. Received: {max_length}."
            )
        return {"preprocessor": preprocessor, "encoder": network}

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
        """Train as `keras.Model.fit`. Texts may be a list."""
        if kwargs.get("class_weight") is not None:
            kwargs["class_weight"] = self._class_weight(kwargs["class_weight"])
        if isinstance(validation_data, tuple):
            validation_data = self._examples(*validation_data)
        x, y, *weights = self._examples(x, y, kwargs.pop("sample_weight", None))
        return super().fit(
            x,
            y,
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_split=validation_split,
            validation_data=validation_data,
            sample_weight=weights[0] if weights else None,
            **kwargs,
        )

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Evaluate as `keras.Model.evaluate`. Texts may be a list."""
        x, y, *weights = self._examples(x, y, sample_weight)
        weights = weights[0] if weights else None
        return super().evaluate(x, y, batch_size, verbose, weights, *args, **kwargs)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> np.ndarray:
        """Return the answers, float32. Texts may be a list."""
        return super().predict(self._texts(x), *args, **kwargs)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(inputs, Mapping):
            inputs = {n: as_strings(self._column(n, column)) for n, column in inputs.items()}
        else:
            inputs = as_strings(self._column(self.columns[0], inputs))
        return super().__call__(inputs, *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        parts = {"preprocessor": self.preprocessor, "encoder": self.encoder, "head": self.head}
        serialized = {n: keras.saving.serialize_keras_object(part) for n, part in parts.items()}
        return {**serialized, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
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
            if not set(x) >= set(self.columns):
                raise ValueError(
                    f"`x` must have {' and '.join(map(repr, self.columns))}. "
                    f"Received: {', '.join(map(repr, x)) or 'nothing'}."
                )
            return {name: self._column(name, column) for name, column in x.items()}
        first, *others = self.columns
        if is_column(x) and others:
            wanted = ", ".join(f"{name!r}: …" for name in self.columns)
            raise ValueError(f"`x` must be a dict, {{{wanted}}}. Received: {type(x).__name__}.")
        return self._column(first, x)

    def _column(self, name: str, values: Any) -> Any:
        """Return an input as Keras takes it; datasets, generators and tensors as they are."""
        return as_objects(values) if is_column(values) else values

    def _examples(self, x: Any, y: Any = None, sample_weight: Any = None) -> tuple:
        """Return texts, answers and, if there are any, weights as Keras takes them."""
        x = self._texts(x)
        found = x, self._answers(x, y)
        return found if sample_weight is None else (*found, self._weights(x, sample_weight))

    def _answers(self, x: Any, y: Any) -> Any:
        """Return the answers to texts, which are as Keras takes them, in the same way."""
        return y

    def _class_weight(self, weights: Any) -> Any:
        """Return the weights of classes as Keras takes them: a dict from their numbers."""
        if not self.has_classes:
            raise ValueError(
                f"`class_weight` must be None for {self.name!r}, as an example has several "
                f"answers; use `sample_weight`. Received: {weights!r}."
            )
        return weights

    def _weights(self, x: Any, weights: Any) -> Any:
        """Return the weights of examples as Keras takes them."""
        return weights


def encode(
    preprocessor: Preprocessor, encoder: Any, *texts: Tensor, head: Any
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the features of texts that a head reads, and the outputs of the preprocessor."""
    tokens = preprocessor(*texts)
    ids = {name: part for name, part in tokens.items() if name in _IDS}
    return encoder(**ids, every_token=head.needs_every_token), tokens


def activated(activation: str) -> keras.layers.Layer:
    """Return the layer that applies an activation to the outputs of a head."""
    # In float32 also under mixed precision.
    return keras.layers.Activation(activation, dtype="float32", name="answer")


def is_column(values: Any) -> bool:
    """Return whether values are a list, an array or a column of a DataFrame."""
    return isinstance(values, list | tuple | np.ndarray) or hasattr(values, "to_numpy")


def as_objects(texts: Any) -> np.ndarray:
    """Return texts as an array of objects.

    Raises:
        ValueError: if one of them is no text.
    """
    found = np.asarray(texts, dtype=object)
    for value in found.flat:
        if not isinstance(value, str | bytes):
            raise ValueError(f"`x` must be texts. Received: {value!r}.")
    if any(isinstance(value, bytes) for value in found.flat):  # Keras takes arrays of str only
        read = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in found.flat]
        return np.array(read, dtype=object).reshape(found.shape)
    return found
