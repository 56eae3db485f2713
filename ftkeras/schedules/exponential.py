"""Exponential decay."""

from typing import Any

import keras
from keras import ops

from ftkeras.schedules import _lengths
from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class Exponential(keras.optimizers.schedules.LearningRateSchedule):
    """Multiply the learning rate by the same factor every `every` updates, continuously.

    rate(t) = peak * factor^(t / every)

    By default, a hundredth of the peak is left at the end of the run.

    Source: Senior et al., 2013 ("exponential scheduling"),
    https://doi.org/10.1109/ICASSP.2013.6638963.

    Args:
        peak: learning rate at step 0; positive.
        total_steps: optimizer updates of the run, used if `every` is a share; positive.
        factor: share of the learning rate that is left after `every` updates; above 0, below 1.
        every: a number of updates (500), or a share of `total_steps` (0.5; 1.0 is all of them).

    Call:
        step: number of updates so far, scalar (). Returns the learning rate, float32 scalar ().

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> schedule = Exponential(peak=1.0, total_steps=40, factor=0.25, every=0.5)
    >>> [float(schedule(step)) for step in (0, 10, 20, 40)]
    [1.0, 0.5, 0.25, 0.0625]
    """

    rises = False

    def __init__(
        self, peak: float, total_steps: int, *, factor: float = 0.01, every: int | float = 1.0
    ):
        bounds.positive(peak=peak, total_steps=total_steps)
        bounds.positive_share(factor=factor)
        self.peak, self.total_steps, self.factor, self.every = peak, total_steps, factor, every
        self._steps = _lengths.updates("every", every, total_steps=total_steps)

    def __call__(self, step: Any) -> Any:
        return self.peak * ops.power(self.factor, ops.cast(step, "float32") / self._steps)

    def get_config(self) -> dict[str, Any]:
        return {
            "peak": self.peak,
            "total_steps": self.total_steps,
            "factor": self.factor,
            "every": self.every,
        }
