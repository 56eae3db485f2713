"""Micro F1, computed batch by batch."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

Tensor = Any


class MicroF1(keras.metrics.Metric):
    """The F1 of all decisions of all labels together.

    F1 = 2 TP / (2 TP + FP + FN)

    Args:
        thresholds: of the labels; a label is predicted if its probability is at least that.
    """

    def __init__(self, thresholds: Sequence[float]):
        super().__init__(name="micro_f1")
        self._thresholds = np.array(thresholds, np.float32)
        self._correct, self._total = (
            self.add_variable((), keras.initializers.Zeros(), name=name, aggregation="sum")
            for name in ("correct", "total")
        )

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> None:
        """Count the decisions of a batch; those with a weight of 0 are no examples."""
        predicted = ops.sigmoid(ops.cast(y_pred, "float32")) >= self._thresholds
        true, predicted = ops.cast(y_true, self.dtype), ops.cast(predicted, self.dtype)
        weight = 1.0 if sample_weight is None else ops.cast(sample_weight, self.dtype)[:, None]
        self._correct.assign_add(ops.sum(weight * true * predicted))
        self._total.assign_add(ops.sum(weight * (true + predicted)))

    def result(self) -> Tensor:
        """Return 0 if there is nothing to find and nothing was found."""
        return 2 * self._correct / ops.maximum(self._total, 1)
