"""Learning rates of a range test."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="ftkeras")
class Growth(keras.optimizers.schedules.LearningRateSchedule):
    """Learning rates that rise evenly on a logarithmic scale, for a range test.

    rate(t) = lowest * (highest / lowest)^(t / (steps - 1))

    Source: Smith, 2017, section 3.3, https://arxiv.org/abs/1506.01186. His learning rates rise
    linearly; rising exponentially gives each decade the same number of updates.

    Args:
        lowest: learning rate of the first update; positive.
        highest: learning rate of the last update; above `lowest`.
        steps: number of updates; at least 2.

    Call:
        step: number of updates so far, scalar (). Returns the learning rate, float32 scalar ().
    """

    def __init__(self, *, lowest: float, highest: float, steps: int):
        self.lowest, self.highest, self.steps = lowest, highest, steps

    def __call__(self, step: Any) -> Any:
        gone = ops.cast(step, "float32") / (self.steps - 1)
        return self.lowest * ops.power(self.highest / self.lowest, gone)

    def get_config(self) -> dict[str, Any]:
        return {"lowest": self.lowest, "highest": self.highest, "steps": self.steps}
