"""Dropout and a dense layer: what all heads share."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from ftkeras.heads._head import Head
from ftkeras.support import bounds
from ftkeras.support.seeds import ReplicaSeedGenerator, as_integer

Tensor = Any


class Linear(Head):
    """Dropout and one dense layer on the states that `states` chooses.

    outputs = dropout(states) · kernel + bias

    Args:
        outputs: size of the layer; positive.
        dropout: dropout rate of each state in training; at least 0, below 1.
        seed: integer that determines the new kernel and the dropout, or None.
        name: the name of the layer.
        **kwargs: other arguments of `keras.layers.Layer`.

    Attributes:
        feature: the feature that has the size of the states.
    """

    feature = "first"

    def __init__(self, *, outputs: int, dropout: float, seed: int | None, name: str, **kwargs: Any):
        bounds.share(dropout=dropout)
        super().__init__(name=name, **kwargs)
        self.outputs, self.dropout, self.seed = outputs, dropout, as_integer(seed)
        self.seed_generator = ReplicaSeedGenerator(self.seed)

    def build(self, features_shape: Mapping[str, tuple], padding_mask_shape: Any = None) -> None:
        hidden = features_shape[self.feature][-1]
        initializer = keras.initializers.TruncatedNormal(stddev=0.02, seed=self.seed)
        self.kernel = self.add_weight(
            shape=(hidden, self.outputs), initializer=initializer, name="kernel"
        )
        self.bias = self.add_weight(shape=(self.outputs,), initializer="zeros", name="bias")

    def call(
        self, features: Mapping[str, Tensor], padding_mask: Tensor, training: bool = False
    ) -> Tensor:
        states = self.states(features, padding_mask)
        if training and self.dropout > 0:
            states = keras.random.dropout(states, self.dropout, seed=self.seed_generator)
        return ops.matmul(states, self.kernel) + self.bias

    def states(self, features: Mapping[str, Tensor], padding_mask: Tensor) -> Tensor:
        """Return the input of the dense layer, [..., hidden]."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        own = {"outputs": self.outputs, "dropout": self.dropout, "seed": self.seed}
        return {**super().get_config(), **own}


def with_classes(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of a head whose outputs are called classes.

    >>> with_classes({"outputs": 3, "seed": 1})
    {'seed': 1, 'classes': 3}
    """
    return {**{k: v for k, v in config.items() if k != "outputs"}, "classes": config["outputs"]}
