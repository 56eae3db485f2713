"""The multi-label head."""

from typing import Any

import keras

from ftkeras.heads._dense import Dense
from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class MultiLabel(Dense):
    """Dropout and one dense layer, with a logit for each label.

    logits = dropout(vector) · kernel + bias,     p = sigmoid(logits)

    The vector is the encoder's pooler output (`pooled`), the last hidden state of [CLS] (`cls`), or
    the mean of the last hidden states of all tokens except padding (`mean`).
    Source: transformers' sequence classifiers with problem_type="multi_label_classification".

    Args:
        outputs: the number of labels; at least 1.
        dropout: share of the vector dropped in training; at least 0, below 1.
        pooling: pooled, cls or mean.
        seed: integer that determines the new kernel and the dropout, or None.
        name: of the layer.
        **kwargs: of `keras.layers.Layer`.

    Call: as `Regression`; the logits are [batch, outputs], before the sigmoid.

    Raises:
        ValueError: an argument is out of bounds; names it, the bound and the value.

    >>> import numpy as np
    >>> head = MultiLabel(outputs=5, pooling="cls", seed=1)
    >>> head({"first": np.zeros((3, 8), "float32")}, np.ones((3, 5))).shape
    TensorShape([3, 5])
    """

    def __init__(
        self,
        *,
        outputs: int,
        dropout: float = 0.1,
        pooling: str = "pooled",
        seed: int | None = None,
        name: str = "head",
        **kwargs: Any,
    ):
        bounds.integer(1, outputs=outputs)
        own = {"dropout": dropout, "pooling": pooling, "seed": seed, "name": name}
        super().__init__(outputs=outputs, **own, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "outputs": self.outputs}
