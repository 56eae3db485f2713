"""The binary cross-entropy loss."""

from typing import Any

import keras
from keras import ops

Tensor = Any


@keras.saving.register_keras_serializable(package="ftkeras")
class BinaryCrossEntropy(keras.losses.Loss):
    """Cross-entropy of one sigmoid output, for two classes.

    L = -(t log y + (1 - t) log(1 - y)),     y = sigmoid(z), z = logits[1] - logits[0]

    where t is the label, 0 or 1. The head computes one logit for each class. Their difference z is
    the logit of a sigmoid, so y is the softmax probability of class 1. Computed as
    softplus(z) - t z, which stays finite.

    Args:
        classes: the run's number of classes; 2, or None if unknown.
        name: of the loss.

    Call: labels, integer [batch]; logits [batch, 2] -> loss, float32 scalar (), the mean.

    Raises:
        ValueError: there are not two classes.

    >>> import numpy as np
    >>> loss = BinaryCrossEntropy()(np.array([1]), np.array([[0.0, 0.0]], "float32"))
    >>> print(f"{float(loss):.4f}")
    0.6931
    """

    def __init__(self, *, classes: int | None = None, name: str = "binary_cross_entropy"):
        if classes is not None:
            _must_be_two(classes)
        super().__init__(name=name, reduction="sum_over_batch_size")
        self.classes = classes

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        _must_be_two(y_pred.shape[-1])
        logits = ops.cast(y_pred, "float32")
        z = logits[..., 1] - logits[..., 0]
        return ops.softplus(z) - ops.cast(y_true, "float32") * z

    def get_config(self) -> dict[str, Any]:
        return {"classes": self.classes, "name": self.name}


def _must_be_two(classes: int) -> None:
    if classes != 2:
        raise ValueError(
            f"`classes` must be 2; cross_entropy accepts any number. Received: {classes}."
        )
