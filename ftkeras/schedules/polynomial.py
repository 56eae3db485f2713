"""Polynomial decay."""

from typing import Any

import keras
from keras import ops

from ftkeras.schedules import _lengths
from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class Polynomial(keras.optimizers.schedules.LearningRateSchedule):
    """Decrease the learning rate from `peak` to `end` by a power of the remaining share of the run.

    rate(t) = end + (peak - end) * (1 - min(t / total_steps, 1))^power

    With `power=1` it equals `linear`. Above 1 it falls early, below 1 it falls late. Afterwards it
    stays at `end`.

    Source: Liu et al., 2015 (the "poly" policy), https://arxiv.org/abs/1506.04579.

    Args:
        peak: learning rate at step 0; positive.
        total_steps: optimizer updates until `end` is reached; positive.
        power: the exponent; positive.
        end: last learning rate; from 0 to `peak`.

    Call:
        step: number of updates so far, scalar (). Returns the learning rate, float32 scalar ().

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> schedule = Polynomial(peak=1.0, total_steps=4, power=2)
    >>> [float(schedule(step)) for step in (0, 2, 4, 5)]
    [1.0, 0.25, 0.0, 0.0]
    """

    rises = False

    def __init__(self, peak: float, total_steps: int, *, power: float = 1.0, end: float = 0.0):
        bounds.positive(peak=peak, total_steps=total_steps, power=power)
        _lengths.end_rate(end, peak=peak)
        self.peak, self.total_steps, self.power, self.end = peak, total_steps, power, end

    def __call__(self, step: Any) -> Any:
        left = 1.0 - ops.minimum(ops.cast(step, "float32") / self.total_steps, 1.0)
        return self.end + (self.peak - self.end) * ops.power(left, self.power)

    def get_config(self) -> dict[str, Any]:
        return {
            "peak": self.peak,
            "total_steps": self.total_steps,
            "power": self.power,
            "end": self.end,
        }
