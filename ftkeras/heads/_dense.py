"""A dense layer on a vector that represents the text: what heads with one answer a text share."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from ftkeras.support import bounds
from ftkeras.support.seeds import ReplicaSeedGenerator

Tensor = Any
POOLINGS = ("pooled", "cls", "mean")


class Dense(keras.layers.Layer):
    """Dropout and one dense layer on the text's vector.

    Args:
        outputs: size of the layer; positive.
        dropout: share of the vector dropped in training; at least 0, below 1.
        pooling: pooled, cls or mean.
        seed: integer that determines the new kernel and the dropout, or None.
        name: of the layer.
        **kwargs: of `keras.layers.Layer`.
    """

    per_token = False

    def __init__(
        self,
        *,
        outputs: int,
        dropout: float,
        pooling: str,
        seed: int | None,
        name: str,
        **kwargs: Any,
    ):
        bounds.share(dropout=dropout)
        bounds.choice(POOLINGS, pooling=pooling)
        super().__init__(name=name, **kwargs)
        self.outputs, self.dropout, self.pooling, self.seed = outputs, dropout, pooling, seed
        self.seed_generator = ReplicaSeedGenerator(seed)

    @property
    def needs_pooler(self) -> bool:
        """True if the encoder must have its pooler."""
        return self.pooling == "pooled"

    @property
    def needs_every_token(self) -> bool:
        """True if it reads the states of all tokens, not only of a text's first."""
        return self.pooling == "mean"

    def build(self, features_shape: Mapping[str, tuple], padding_mask_shape: Any = None) -> None:
        hidden = features_shape["first"][-1]
        initializer = keras.initializers.TruncatedNormal(stddev=0.02, seed=self.seed)
        self.kernel = self.add_weight(
            shape=(hidden, self.outputs), initializer=initializer, name="kernel"
        )
        self.bias = self.add_weight(shape=(self.outputs,), initializer="zeros", name="bias")

    def call(
        self, features: Mapping[str, Tensor], padding_mask: Tensor, training: bool = False
    ) -> Tensor:
        pooled = self.needs_pooler
        vector = features["pooled"] if pooled else self.text_vectors(features, padding_mask)
        if training and self.dropout > 0:
            vector = keras.random.dropout(vector, self.dropout, seed=self.seed_generator)
        return ops.matmul(vector, self.kernel) + self.bias

    def text_vectors(self, features: Mapping[str, Tensor], padding_mask: Tensor) -> Tensor:
        """Return the vector of each text, [texts, hidden]; with `pooled`, the pooler's input."""
        if "vector" in features:
            return features["vector"]
        if not self.needs_every_token:
            return features["first"]
        sequence = features["sequence"]
        weights = ops.cast(features.get("membership", padding_mask[:, None]), sequence.dtype)
        counts = ops.maximum(ops.sum(weights, axis=-1, keepdims=True), 1)
        return ops.reshape(ops.matmul(weights, sequence) / counts, (-1, sequence.shape[-1]))

    def get_config(self) -> dict[str, Any]:
        own = {"dropout": self.dropout, "pooling": self.pooling, "seed": self.seed}
        return {**super().get_config(), **own}
