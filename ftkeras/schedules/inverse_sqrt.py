"""Inverse square root decay."""

from typing import Any

import keras
from keras import ops

from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class InverseSqrt(keras.optimizers.schedules.LearningRateSchedule):
    """Decrease the learning rate with the inverse square root of the step.

    rate(t) = peak * sqrt(offset / (t + offset))

    With --warmup=0 this is peak / sqrt(n) for update n, from 1. With --warmup=W it is Vaswani et
    al.'s formula, peak * min(n / W, sqrt(W / n)), where n = t + W is the number of updates made.
    Their own peak is 1 / sqrt(d_model * W).

    Source: Vaswani et al., 2017, section 5.3, https://arxiv.org/abs/1706.03762.

    Args:
        peak: learning rate at step 0; positive.
        warmup: optimizer updates of the preceding warm-up; at least 0.
        offset: updates by which the curve is shifted; positive. The larger, the slower the decay.
            By default `warmup`, or 1 without a warm-up.

    Call:
        step: number of updates so far, scalar (). Returns the learning rate, float32 scalar ().

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> schedule = InverseSqrt(peak=1.0, warmup=100)
    >>> [float(schedule(step)) for step in (0, 300)]
    [1.0, 0.5]
    """

    rises = False

    def __init__(self, peak: float, *, warmup: int = 0, offset: float | None = None):
        bounds.positive(peak=peak)
        bounds.not_negative(warmup=warmup)
        if offset is not None:
            bounds.positive(offset=offset)
        self.peak, self.warmup, self.offset = peak, warmup, offset

    def __call__(self, step: Any) -> Any:
        offset = max(1, self.warmup) if self.offset is None else self.offset
        return self.peak * ops.sqrt(offset / (ops.cast(step, "float32") + offset))

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "warmup": self.warmup, "offset": self.offset}
