"""The mean squared error loss."""

from typing import Any

import keras
from keras import ops

from ftkeras.losses import _targets

Tensor = Any


@keras.saving.register_keras_serializable(package="ftkeras")
class MeanSquaredError(_targets.LossOfTargets):
    """Mean squared error of predicted numbers, or of probabilities.

    For numbers, float [batch, outputs]:

        L = 1/K Σ_k (y_k - t_k)²

    For labels, integer [batch], it is the Brier score divided by the number of classes:

        L = 1/C Σ_c (softmax(logits)_c - [c = label])²

    This is at most 2/C, so wrong labels in the data have less influence than with cross-entropy.
    Source: Brier, 1950, https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    Args:
        name: the name of the loss.

    Call: numbers or labels; predicted numbers [batch, outputs] or logits [batch, classes] -> loss,
        float32 scalar (), the mean; NaN for a label that is no class, unless its sample
        weight is 0.

    >>> import numpy as np
    >>> print(float(MeanSquaredError()(np.array([[1.0, 2.0]]), np.array([[0.0, 0.0]]))))
    2.5
    >>> print(float(MeanSquaredError()(np.array([0]), np.array([[0.0, 0.0]], "float32"))))
    0.25
    """

    def __init__(self, *, name: str = "mean_squared_error"):
        super().__init__(name=name, reduction="sum_over_batch_size")

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        y_true = _targets.numbers(_targets.classes(y_true, y_pred), y_pred)
        if len(y_true.shape) == len(y_pred.shape):  # numbers
            difference = ops.cast(y_pred, "float32") - ops.cast(y_true, "float32")
            return ops.mean(ops.square(difference), axis=-1)
        probabilities = ops.softmax(ops.cast(y_pred, "float32"), axis=-1)
        label, count = ops.cast(y_true, "int32"), ops.shape(y_pred)[-1]
        target = ops.one_hot(label, count, dtype="float32")
        score = ops.mean(ops.square(probabilities - target), axis=-1)
        return _targets.nan_outside(score, label, count - 1)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}
