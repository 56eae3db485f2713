import keras
from keras import ops

from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class Constant(keras.optimizers.schedules.LearningRateSchedule):
    """The same rate throughout.

    rate(t) = peak

    Args:
        peak: the rate; positive.

    Call: step, updates already made, scalar () -> rate, float32 scalar ().

    Raises:
        ValueError: naming the argument, its bound and the value received.

    >>> float(Constant(peak=0.5)(1000))
    0.5
    """

    def __init__(self, *, peak: float):
        bounds.positive(peak=peak)
        self.peak = peak

    def __call__(self, step):
        return ops.full((), self.peak, "float32")

    def get_config(self):
        return {"peak": self.peak}
