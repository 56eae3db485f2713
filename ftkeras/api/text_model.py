"""The base class of Keras models on raw strings."""

import os
from collections.abc import Mapping
from typing import Any, Self

import keras
import numpy as np

from ftkeras import encoders, text
from ftkeras.text.preprocessor import Preprocessor, as_strings

# What a model of pairs is called with.
COLUMNS = ("text", "pair")


class TextModel(keras.Model):
    """The base class of Keras models that take raw strings.

    It is a functional model of three layers, `preprocessor`, `encoder` and `head`, so `compile`,
    `fit`, `evaluate`, `predict`, `save`, `export` and callbacks work as usual. In addition, texts
    may be a list, an array or a column of a DataFrame.

    Args:
        preprocessor: layer that turns texts into token ids.
        encoder: layer that turns token ids into hidden states.
        head: layer that turns hidden states into the outputs, before the activation.
        pairs: whether the model takes pairs of texts, {"text": …, "pair": …}.
        activation: of the outputs.
        name: the model's name.
    """

    def __init__(
        self,
        *,
        preprocessor: Preprocessor,
        encoder: Any,
        head: Any,
        pairs: bool,
        activation: str,
        name: str,
    ):
        names = COLUMNS if pairs else COLUMNS[:1]
        inputs = {name: keras.Input((), dtype="string", name=name) for name in names}
        tokens = preprocessor(*inputs.values())
        features = encoder(**tokens, every_token=head.needs_every_token)
        outputs = _answer(activation)(head(features, tokens["padding_mask"]))
        super().__init__(inputs=inputs if pairs else inputs["text"], outputs=outputs, name=name)
        self.preprocessor, self.encoder, self.head = preprocessor, encoder, head
        self.pairs, self.activation = pairs, activation

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

    def on_tokens(self) -> keras.Model:
        """Return a model of the same encoder and head that takes token ids instead of texts.

        It trains on batches of `ftkeras.bucketed_batches` or `ftkeras.packed_batches`, and this
        model with it, because the weights are the same. Save and export this model.
        """
        return _OnTokens(self.encoder, self.head, self.activation, name=f"{self.name}_on_tokens")

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
        """Evaluate as `keras.Model.evaluate`. Texts may be a list."""
        return super().evaluate(self._texts(x), self._answers(y), *args, **kwargs)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> np.ndarray:
        """Return the answers, float32 [texts, outputs]. Texts may be a list."""
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
            "pairs": self.pairs,
            "name": self.name,
        }

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
            return {name: _as_objects(column) for name, column in x.items()}
        return _as_objects(x)

    def _answers(self, y: Any) -> Any:
        """Return answers as Keras takes them."""
        return y


class _OnTokens(keras.Model):
    """An encoder and a head, called with the encoder's arguments.

    It is no functional model: Keras cannot have a layer in two of them that returns more tensors in
    one than in the other, as the encoder does for packed rows.
    """

    def __init__(self, encoder: Any, head: Any, activation: str, *, name: str):
        super().__init__(name=name)
        self.encoder, self.head = encoder, head
        self.answer = _answer(activation)

    def call(self, tokens: Mapping[str, Any], training: bool | None = None) -> Any:
        # Under a strategy, Keras builds the model with the mean of the replicas' ids.
        given = {name: keras.ops.cast(ids, "int32") for name, ids in tokens.items()}
        mask = given["padding_mask"] = keras.ops.cast(tokens["padding_mask"], "bool")
        every_token = self.head.needs_every_token
        features = self.encoder(**given, every_token=every_token, training=training)
        return self.answer(self.head(features, mask, training=training))


def _answer(activation: str) -> keras.layers.Layer:
    # In float32 also under mixed precision.
    return keras.layers.Activation(activation, dtype="float32", name="answer")


def is_column(values: Any) -> bool:
    """Return whether values are a list, an array or a column of a DataFrame."""
    return isinstance(values, list | tuple | np.ndarray) or hasattr(values, "to_numpy")


def _as_objects(texts: Any) -> Any:
    """Return texts as an array of objects; datasets, generators and tensors as they are."""
    if not is_column(texts):
        return texts
    found = np.asarray(texts, dtype=object)
    for value in found.flat:
        if not isinstance(value, str | bytes):
            raise ValueError(f"`x` must be texts. Received: {value!r}.")
    return found
