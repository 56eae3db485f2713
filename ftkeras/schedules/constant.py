"""A constant learning rate."""

from typing import Any

import keras
from keras import ops

from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class Constant(keras.optimizers.schedules.LearningRateSchedule):
    """Keep the learning rate constant.

    rate(t) = peak

    Args:
        peak: the learning rate; positive.

    Call:
        step: number of updates so far, scalar (). Returns the learning rate, float32 scalar ().

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> float(Constant(peak=0.5)(1000))
    0.5
    """

    rises = False

    def __init__(self, peak: float):
        bounds.positive(peak=peak)
        self.peak = peak

    def __call__(self, step: Any) -> Any:
        return ops.full((), self.peak, "float32")

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak}
