"""The classification head."""

from typing import Any

import keras

from ftkeras.heads._dense import POOLINGS, Dense
from ftkeras.heads._linear import with_classes
from ftkeras.support import bounds

__all__ = ["POOLINGS", "Classification"]


@keras.saving.register_keras_serializable(package="ftkeras")
class Classification(Dense):
    """Dropout and one dense layer on a vector that represents the text.

    logits = dropout(vector) · kernel + bias

    The vector is the encoder's pooler output (`pooled`), the last hidden state of [CLS] (`cls`), or
    the mean of the last hidden states of all tokens except padding (`mean`). In GPT-2, which reads
    from left to right, `pooled` and `cls` are the last hidden state of the text's last token.
    Source: Devlin et al., 2019, section 4.1, https://arxiv.org/abs/1810.04805.

    Args:
        classes: number of classes; at least 2.
        dropout: dropout rate of the vector in training; at least 0, below 1.
        pooling: pooled, cls or mean.
        seed: integer that determines the new kernel and the dropout, or None.
        name: the name of the layer.
        **kwargs: other arguments of `keras.layers.Layer`.

    Call: features, padding_mask [batch, length] -> logits [batch, classes]. The features of packed
        rows, which have "membership", give [batch * texts, classes]. Features may consist of
        "vector" [batch, hidden] alone, the result of `text_vectors`; `pooled` then also needs
        "pooled".

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> import numpy as np
    >>> head = Classification(classes=2, pooling="cls", seed=1)
    >>> head({"first": np.zeros((3, 8), "float32")}, np.ones((3, 5))).shape
    TensorShape([3, 2])
    """

    def __init__(
        self,
        *,
        classes: int,
        dropout: float = 0.1,
        pooling: str = "pooled",
        seed: int | None = None,
        name: str = "head",
        **kwargs: Any,
    ):
        bounds.integer(2, classes=classes)
        own = {"dropout": dropout, "pooling": pooling, "seed": seed, "name": name}
        super().__init__(outputs=classes, **own, **kwargs)

    @property
    def classes(self) -> int:
        """The number of classes."""
        return self.outputs

    def get_config(self) -> dict[str, Any]:
        return with_classes(super().get_config())
