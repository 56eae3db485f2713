import keras
from keras import ops

from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class InverseSqrt(keras.optimizers.schedules.LearningRateSchedule):
    """Decay with the square root of the step.

    rate(t) = peak * sqrt(offset / (t + offset))

    With --warmup=0 this is the plain form, peak / sqrt(n) for update n, from 1. With --warmup=W it
    is Vaswani et al.'s, peak * min(n / W, sqrt(W / n)), where n, the updates already made, is W
    more than t; their own peak is 1 / sqrt(d_model * W).

    Source: Vaswani et al., 2017, section 5.3, https://arxiv.org/abs/1706.03762.

    Args:
        peak: rate at step 0; positive.
        warmup: optimizer updates of the warm-up that came before; at least 0.
        offset: updates at which the curve starts; positive. Large is slow. By default `warmup`, or
            1 where there was none.

    Call: step, updates already made, scalar () -> rate, float32 scalar ().

    Raises:
        ValueError: naming the argument, its bound and the value received.

    >>> schedule = InverseSqrt(peak=1.0, warmup=100)
    >>> [float(schedule(step)) for step in (0, 300)]
    [1.0, 0.5]
    """

    def __init__(self, *, peak: float, warmup: int = 0, offset: float | None = None):
        bounds.positive(peak=peak)
        if warmup < 0:
            raise ValueError(f"`warmup` must be at least 0. Received: {warmup}.")
        if offset is not None:
            bounds.positive(offset=offset)
        self.peak, self.warmup, self.offset = peak, warmup, offset

    def __call__(self, step):
        offset = max(1, self.warmup) if self.offset is None else self.offset
        return self.peak * ops.sqrt(offset / (ops.cast(step, "float32") + offset))

    def get_config(self):
        return {"peak": self.peak, "warmup": self.warmup, "offset": self.offset}
