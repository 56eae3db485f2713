"""Warm-up before another schedule."""

from typing import Any

import keras
from keras import ops

from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up before any other schedule.

    rate(t) = peak * t / steps        for t < steps
    rate(t) = after(t - steps)        from then on

    The first update has learning rate 0, as in Devlin et al.'s own code.

    Source: Devlin et al., 2019, appendix A.2, https://arxiv.org/abs/1810.04805.

    Args:
        after: the schedule that follows.
        peak: learning rate at the end of the warm-up; positive. None for the one with which
            `after` starts.
        steps: optimizer updates of the warm-up; at least 0.

    Call:
        step: number of updates so far, scalar (). Returns the learning rate, float32 scalar ().

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> from ftkeras.schedules.linear import Linear
    >>> schedule = Warmup(Linear(1.0, total_steps=4), steps=2)
    >>> [float(schedule(step)) for step in (0, 1, 2, 3, 6)]
    [0.0, 0.5, 1.0, 0.75, 0.0]
    """

    def __init__(self, after: Any, *, steps: int, peak: float | None = None):
        bounds.integer(0, steps=steps)
        if not callable(after):
            raise ValueError(f"`after` must be a schedule. Received: {after!r}.")
        if peak is None:
            schedule: Any = after
            peak = float(schedule(0))
        bounds.positive(peak=peak)
        self.after, self.peak, self.steps = after, peak, steps

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "float32")
        rising = self.peak * step / max(1, self.steps)
        return ops.where(step < self.steps, rising, self.after(ops.maximum(step - self.steps, 0.0)))

    @property
    def variables(self) -> list[keras.Variable]:
        """The state of the schedule that follows, if it has any."""
        return list(getattr(self.after, "variables", []))

    def get_config(self) -> dict[str, Any]:
        after = keras.saving.serialize_keras_object(self.after)
        return {"after": after, "peak": self.peak, "steps": self.steps}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Warmup":
        after = keras.saving.deserialize_keras_object(config["after"])
        return cls(**{**config, "after": after})
