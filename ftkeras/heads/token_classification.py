"""The head that answers each token."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from ftkeras.support import bounds
from ftkeras.support.seeds import ReplicaSeedGenerator

Tensor = Any


@keras.saving.register_keras_serializable(package="ftkeras")
class TokenClassification(keras.layers.Layer):
    """Dropout and one dense layer on each token.

    logits = dropout(state) · kernel + bias

    Source: Devlin et al., 2019, section 5.3, https://arxiv.org/abs/1810.04805.

    Args:
        classes: number of classes; at least 2.
        dropout: share of each state dropped in training; at least 0, below 1.
        seed: integer that determines the new kernel and the dropout, or None.
        name: of the layer.
        **kwargs: of `keras.layers.Layer`.

    Call: features, padding_mask [batch, length] -> logits [batch, length, classes]; of packed rows
        too.

    Raises:
        ValueError: an argument is out of bounds; names it, the bound and the value.

    >>> import numpy as np
    >>> head = TokenClassification(classes=5, seed=1)
    >>> head({"sequence": np.zeros((3, 4, 8), "float32")}, np.ones((3, 4))).shape
    TensorShape([3, 4, 5])
    """

    needs_pooler, needs_every_token, per_token = False, True, True

    def __init__(
        self,
        *,
        classes: int,
        dropout: float = 0.1,
        seed: int | None = None,
        name: str = "head",
        **kwargs: Any,
    ):
        bounds.integer(2, classes=classes)
        bounds.share(dropout=dropout)
        super().__init__(name=name, **kwargs)
        self.outputs, self.dropout, self.seed = classes, dropout, seed
        self.seed_generator = ReplicaSeedGenerator(seed)

    @property
    def classes(self) -> int:
        """The number of classes."""
        return self.outputs

    def build(self, features_shape: Mapping[str, tuple], padding_mask_shape: Any = None) -> None:
        hidden = features_shape["sequence"][-1]
        initializer = keras.initializers.TruncatedNormal(stddev=0.02, seed=self.seed)
        self.kernel = self.add_weight(
            shape=(hidden, self.outputs), initializer=initializer, name="kernel"
        )
        self.bias = self.add_weight(shape=(self.outputs,), initializer="zeros", name="bias")

    def call(
        self, features: Mapping[str, Tensor], padding_mask: Tensor, training: bool = False
    ) -> Tensor:
        states = features["sequence"]
        if training and self.dropout > 0:
            states = keras.random.dropout(states, self.dropout, seed=self.seed_generator)
        return ops.matmul(states, self.kernel) + self.bias

    def get_config(self) -> dict[str, Any]:
        own = {"classes": self.classes, "dropout": self.dropout, "seed": self.seed}
        return {**super().get_config(), **own}
