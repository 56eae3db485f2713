"""The head that answers each token."""

from collections.abc import Mapping
from typing import Any

import keras

from ftkeras.heads._linear import Linear, with_classes
from ftkeras.support import bounds

Tensor = Any


@keras.saving.register_keras_serializable(package="ftkeras")
class TokenClassification(Linear):
    """Dropout and one dense layer on each token, for tags of tokens.

    logits = dropout(state) · kernel + bias

    Source: Devlin et al., 2019, section 5.3, https://arxiv.org/abs/1810.04805.

    Args:
        classes: number of classes; at least 2.
        dropout: dropout rate of each state in training; at least 0, below 1.
        seed: integer that determines the new kernel and the dropout, or None.
        name: the name of the layer.
        **kwargs: other arguments of `keras.layers.Layer`.

    Call: features, padding_mask [batch, length] -> logits [batch, length, classes], also for
        packed rows.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> import numpy as np
    >>> head = TokenClassification(classes=5, seed=1)
    >>> head({"sequence": np.zeros((3, 4, 8), "float32")}, np.ones((3, 4))).shape
    TensorShape([3, 4, 5])
    """

    needs_pooler, needs_every_token, per_token = False, True, True
    feature = "sequence"

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
        super().__init__(outputs=classes, dropout=dropout, seed=seed, name=name, **kwargs)

    @property
    def classes(self) -> int:
        """The number of classes."""
        return self.outputs

    def states(self, features: Mapping[str, Tensor], padding_mask: Tensor) -> Tensor:
        return features["sequence"]

    def get_config(self) -> dict[str, Any]:
        return with_classes(super().get_config())
