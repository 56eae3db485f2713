import keras
from keras import ops

from ftkeras.schedules import _bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class InverseSqrt(keras.optimizers.schedules.LearningRateSchedule):
    """Decay with the square root of the step.

    rate(t) = peak * sqrt(offset / (t + offset))

    With --warmup=0 and `offset=1` this is the plain form, peak / sqrt(n) for update n, from 1. With
    --warmup=W and `offset=W` it is Vaswani et al.'s, peak * min(n / W, sqrt(W / n)), where n, the
    updates already made, is W more than t; their own peak is 1 / sqrt(d_model * W).

    Source: Vaswani et al., 2017, section 5.3, https://arxiv.org/abs/1706.03762.

    Args:
        peak: rate at step 0; positive.
        offset: updates at which the curve starts; positive. Large is slow.

    Call: step, updates already made, scalar () -> rate, float32 scalar ().

    Raises:
        ValueError: naming the argument, its bound and the value received.

    >>> schedule = InverseSqrt(peak=1.0, offset=100)
    >>> [float(schedule(step)) for step in (0, 300)]
    [1.0, 0.5]
    """

    def __init__(self, *, peak: float, offset: float = 1.0):
        _bounds.positive(peak=peak, offset=offset)
        self.peak, self.offset = peak, offset

    def __call__(self, step):
        step = ops.cast(step, "float32")
        return self.peak * ops.sqrt(self.offset / (step + self.offset))

    def get_config(self):
        return {"peak": self.peak, "offset": self.offset}
