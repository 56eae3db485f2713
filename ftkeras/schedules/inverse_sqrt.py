import keras
from keras import ops


@keras.saving.register_keras_serializable(package="ftkeras")
class InverseSqrt(keras.optimizers.schedules.LearningRateSchedule):
    """Decay with the square root of the step.

    rate(t) = peak * sqrt(offset / (t + offset))

    With --warmup=W and `offset=W` this is Vaswani et al.'s schedule, peak * sqrt(W / step) after W
    updates of warm-up; with `offset=1` and --warmup=0 the plain form peak / sqrt(t), t from 1.

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
        if not peak > 0:
            raise ValueError(f"`peak` must be positive. Received: {peak}.")
        if not offset > 0:
            raise ValueError(f"`offset` must be positive. Received: {offset}.")
        self.peak, self.offset = peak, offset

    def __call__(self, step):
        step = ops.cast(step, "float32")
        return self.peak * ops.sqrt(self.offset / (step + self.offset))

    def get_config(self):
        return {"peak": self.peak, "offset": self.offset}
