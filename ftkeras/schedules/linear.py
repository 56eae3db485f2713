"""Linear decay."""

from typing import Any

import keras
from keras import ops

from ftkeras.schedules import _lengths
from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class Linear(keras.optimizers.schedules.LearningRateSchedule):
    """Decrease the learning rate linearly from `peak` to `end`, then keep it.

    rate(t) = peak + (end - peak) * min(t / total_steps, 1)

    Source: Devlin et al., 2019, appendix A.2, https://arxiv.org/abs/1810.04805.

    Args:
        peak: learning rate at step 0; positive.
        total_steps: optimizer updates until `end` is reached; positive.
        end: last learning rate; from 0 to `peak`.

    Call:
        step: number of updates so far, scalar (). Returns the learning rate, float32 scalar ().

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> schedule = Linear(peak=1.0, total_steps=4)
    >>> [float(schedule(step)) for step in (0, 1, 4, 5)]
    [1.0, 0.75, 0.0, 0.0]
    """

    rises = False

    def __init__(self, peak: float, total_steps: int, *, end: float = 0.0):
        bounds.positive(peak=peak, total_steps=total_steps)
        _lengths.end_rate(end, peak=peak)
        self.peak, self.total_steps, self.end = peak, total_steps, end

    def __call__(self, step: Any) -> Any:
        gone = ops.minimum(ops.cast(step, "float32") / self.total_steps, 1.0)
        return self.peak + (self.end - self.peak) * gone

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "total_steps": self.total_steps, "end": self.end}
