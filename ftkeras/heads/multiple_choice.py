"""The multiple-choice head."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from ftkeras.heads._linear import Linear
from ftkeras.support import bounds
from ftkeras.support.absent import ABSENT_LOGIT

Tensor = Any


@keras.saving.register_keras_serializable(package="ftkeras")
class MultipleChoice(Linear):
    """Dropout and one dense layer that scores each option of a question.

    score = dropout(vector) · kernel + bias,     p = softmax of a question's scores

    Each row holds a question with one of its options, and the rows of a question are consecutive.
    All questions have as many rows as the one with the most options: the others are filled up with
    rows of padding, whose score is -10,000. The vector is the encoder's pooler output.
    Source: Radford et al., 2018, section 3.3; transformers' BertForMultipleChoice.

    Args:
        outputs: the maximum number of options of a question; at least 2.
        dropout: dropout rate of the vector in training; at least 0, below 1.
        seed: integer that determines the new kernel and the dropout, or None.
        name: the name of the layer.
        **kwargs: other arguments of `keras.layers.Layer`.

    Call: features, padding_mask [questions * outputs, length] -> scores [questions, outputs].

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> import numpy as np
    >>> head, mask = MultipleChoice(outputs=2, seed=1), np.ones((6, 5), bool)
    >>> head.build({"first": (None, 8)})
    >>> head({"pooled": np.zeros((6, 8), "float32")}, mask).shape
    TensorShape([3, 2])
    """

    needs_pooler, needs_every_token = True, False

    def __init__(
        self,
        *,
        outputs: int,
        dropout: float = 0.1,
        seed: int | None = None,
        name: str = "head",
        **kwargs: Any,
    ):
        bounds.integer(2, outputs=outputs)
        super().__init__(outputs=1, dropout=dropout, seed=seed, name=name, **kwargs)
        self.options = outputs

    def states(self, features: Mapping[str, Tensor], padding_mask: Tensor) -> Tensor:
        return features["pooled"]

    def call(
        self, features: Mapping[str, Tensor], padding_mask: Tensor, training: bool = False
    ) -> Tensor:
        scores = super().call(features, padding_mask, training=training)
        is_option = ops.any(padding_mask, axis=-1)[:, None]
        scores = ops.where(is_option, scores, ops.cast(ABSENT_LOGIT, scores.dtype))
        return ops.reshape(scores, (-1, self.options))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "outputs": self.options}
