"""The layer that gives words the answers of their tokens."""

from typing import Any

import keras
from keras import ops

from ftkeras.api.string_model import activation_of

Tensor = Any


@keras.saving.register_keras_serializable(package="ftkeras")
class WordAnswers(keras.layers.Layer):
    """Give each word the answer of its first token.

    The mask of its outputs is true for words, so losses and metrics leave out all else.

    Args:
        words: the number of words of a text that there is room for.
        activation: of the answers.
        name: the name of the layer.
        **kwargs: other arguments of `keras.layers.Layer`.

    Call: a tuple of outputs [batch, length, labels] and the number of the word that each token is
        the first of, integer [batch, length], -1 of other tokens -> float32 [batch, words, labels];
        0 where there is no word.

    >>> import numpy as np
    >>> outputs = np.array([[[0.0], [1.0], [2.0], [3.0]]], "float32")
    >>> answers = WordAnswers(3, activation="linear")((outputs, np.array([[-1, 0, -1, 1]])))
    >>> answers.numpy().ravel().tolist()
    [1.0, 3.0, 0.0]
    """

    def __init__(self, words: int, *, activation: str, name: str = "words", **kwargs: Any):
        # In float32 also under mixed precision.
        super().__init__(name=name, **{"dtype": "float32", **kwargs})
        self.words, self.activation = words, activation_of(activation)

    def call(self, inputs: tuple[Tensor, Tensor]) -> Tensor:
        outputs, numbers = inputs
        begins = self._begins(numbers)
        first = ops.argmax(ops.cast(begins, "int32"), axis=-1)[..., None]
        places = ops.repeat(first, outputs.shape[-1], axis=-1)
        answers = self.activation(ops.take_along_axis(outputs, places, axis=1))
        return ops.where(ops.any(begins, axis=-1)[..., None], answers, 0.0)

    def compute_mask(self, inputs: tuple[Tensor, Tensor], previous_mask: Any = None) -> Tensor:
        return ops.any(self._begins(inputs[1]), axis=-1)

    def _begins(self, numbers: Tensor) -> Tensor:
        """Return which token begins which word, bool [batch, words, length]."""
        word = ops.arange(self.words, dtype="int32")[None, :, None]
        return ops.equal(ops.cast(numbers, "int32")[:, None, :], word)

    def get_config(self) -> dict[str, Any]:
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "words": self.words, "activation": activation}
