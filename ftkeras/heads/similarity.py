"""The similarity head."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from ftkeras.heads._head import Head
from ftkeras.heads._pooling import mean_of_tokens

Tensor = Any
# The square of the smallest norm that a vector is divided by.
LEAST_SQUARE = 1e-24


@keras.saving.register_keras_serializable(package="ftkeras")
class Similarity(Head):
    """Compute the vectors of two texts, whose product is their cosine. It has no weights.

    vector = mean / |mean|,     mean = mean of the last hidden states of all tokens except padding

    Each row holds one text, and the two texts of a pair are in consecutive rows. The output of a
    pair is both vectors, one after the other. A row of padding has the vector 0.
    Source: Reimers and Gurevych, 2019, section 3, https://arxiv.org/abs/1908.10084.

    Args:
        name: the name of the layer.
        **kwargs: other arguments of `keras.layers.Layer`.

    Call: features, padding_mask [pairs * 2, length] -> float32 [pairs, 2 * hidden]. A last row
        without a partner gives no output; see `states` for the vectors of single texts.

    >>> import numpy as np
    >>> states = np.array([[[3.0, 4.0]], [[0.0, 2.0]]], "float32")
    >>> pair = Similarity()({"sequence": states}, np.ones((2, 1), bool))
    >>> pair.numpy().round(2).tolist()
    [[0.6000000238418579, 0.800000011920929, 0.0, 1.0]]
    """

    needs_pooler, needs_every_token = False, True

    def __init__(self, *, name: str = "head", **kwargs: Any):
        super().__init__(name=name, **kwargs)

    def build(self, features_shape: Mapping[str, tuple], padding_mask_shape: Any = None) -> None:
        """Create no variables."""

    def call(
        self, features: Mapping[str, Tensor], padding_mask: Tensor, training: bool = False
    ) -> Tensor:
        vectors = self.states(features, padding_mask)
        # Without the last of an odd number, which a served model is called with to embed texts.
        return ops.concatenate([vectors[:-1:2], vectors[1::2]], axis=-1)

    def states(self, features: Mapping[str, Tensor], padding_mask: Tensor) -> Tensor:
        """Return the vector of each row's text, of length 1, float32 [rows, hidden]."""
        means = ops.cast(mean_of_tokens(features, padding_mask), "float32")
        squares = ops.sum(ops.square(means), axis=-1, keepdims=True)
        return means * ops.rsqrt(ops.maximum(squares, LEAST_SQUARE))
