"""The Huber loss."""

from typing import Any

import keras
from keras import ops

from ftkeras.losses import _targets
from ftkeras.support import bounds

Tensor = Any


@keras.saving.register_keras_serializable(package="ftkeras")
class Huber(_targets.LossOfTargets):
    """Squared error for small differences, and absolute error for large ones.

    L = 1/K Σ_k h(y_k - t_k),     h(e) = e²/2 if |e| <= delta, else delta (|e| - delta/2)

    If answers are standardized, e is in standard deviations.
    Source: Huber, 1964, https://doi.org/10.1214/aoms/1177703732.

    Args:
        delta: the difference at which the loss becomes linear; positive.
        name: the name of the loss.

    Call: numbers, float [batch, outputs]; predicted numbers of that shape -> loss, float32 scalar
        (), the mean. Numbers whose sample weight is 0 may be NaN.

    Raises:
        ValueError: if the argument is out of bounds.

    >>> import numpy as np
    >>> print(float(Huber()(np.array([[1.0, 3.0]]), np.array([[0.0, 0.0]]))))
    1.5
    """

    def __init__(self, *, delta: float = 1.0, name: str = "huber"):
        bounds.positive(delta=delta)
        super().__init__(name=name, reduction="sum_over_batch_size")
        self.delta = delta

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        y_true = _targets.numbers(y_true, y_pred)
        size = ops.abs(ops.cast(y_pred, "float32") - ops.cast(y_true, "float32"))
        small = ops.minimum(size, self.delta)
        return ops.mean(small * (size - small / 2), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {"delta": self.delta, "name": self.name}
