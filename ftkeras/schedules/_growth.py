import keras
from keras import ops


@keras.saving.register_keras_serializable(package="ftkeras")
class Growth(keras.optimizers.schedules.LearningRateSchedule):
    """The rising rates of a range test, evenly spread on a logarithmic scale.

    rate(t) = lowest * (highest / lowest)^(t / (steps - 1))

    Source: Smith, 2017, section 3.3, https://arxiv.org/abs/1506.01186 (he rises on a straight line;
    the exponential makes each decade as long).

    Args:
        lowest: rate of the first update; positive.
        highest: rate of the last; above `lowest`.
        steps: updates; at least 2.

    Call: step, updates already made, scalar () -> rate, float32 scalar ().
    """

    def __init__(self, *, lowest: float, highest: float, steps: int):
        self.lowest, self.highest, self.steps = lowest, highest, steps

    def __call__(self, step):
        gone = ops.cast(step, "float32") / (self.steps - 1)
        return self.lowest * ops.power(self.highest / self.lowest, gone)

    def get_config(self):
        return {"lowest": self.lowest, "highest": self.highest, "steps": self.steps}
