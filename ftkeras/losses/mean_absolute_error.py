"""The mean absolute error loss."""

from typing import Any

import keras
from keras import ops

from ftkeras.losses import _targets

Tensor = Any


@keras.saving.register_keras_serializable(package="ftkeras")
class MeanAbsoluteError(_targets.LossOfTargets):
    """Mean absolute error of predicted numbers.

    L = 1/K Σ_k |y_k - t_k|

    Its minimum is the median, so outliers have less influence than with the squared error.

    Args:
        name: the name of the loss.

    Call: numbers, float [batch, outputs]; predicted numbers of that shape -> loss, float32 scalar
        (), the mean. Numbers whose sample weight is 0 may be NaN.

    >>> import numpy as np
    >>> print(float(MeanAbsoluteError()(np.array([[1.0, 2.0]]), np.array([[0.0, 0.0]]))))
    1.5
    """

    def __init__(self, *, name: str = "mean_absolute_error"):
        super().__init__(name=name, reduction="sum_over_batch_size")

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        y_true = _targets.numbers(y_true, y_pred)
        difference = ops.cast(y_pred, "float32") - ops.cast(y_true, "float32")
        return ops.mean(ops.abs(difference), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}
