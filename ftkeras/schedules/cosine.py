"""Cosine decay, with restarts."""

import math
from typing import Any

import keras
from keras import ops

from ftkeras.schedules import _lengths
from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class Cosine(keras.optimizers.schedules.LearningRateSchedule):
    """Decrease the learning rate along a half cosine from `peak` to `end`, once per cycle.

    rate(t) = end + (peak - end) * restart_decay^k * (1 + cos(pi * u)) / 2

    where k = floor(t * cycles / total_steps) is the number of complete cycles, and u, from 0 to 1,
    is the position in the present cycle. Each cycle starts again at its full learning rate ("warm
    restart"). After the last cycle, the learning rate stays at `end`.

    Source: Loshchilov and Hutter, 2017, equation 5 (cycles of equal length),
    https://arxiv.org/abs/1608.03983. Keras's CosineDecayRestarts calls `restart_decay` `m_mul`.

    Args:
        peak: learning rate at step 0; positive.
        total_steps: optimizer updates until the last cycle ends; positive.
        cycles: number of cycles; an integer from 1 to `total_steps`.
        restart_decay: first learning rate of a cycle relative to that of the cycle before; above 0,
            at most 1.
        end: last learning rate of each cycle; from 0 to `peak`.

    Call:
        step: number of updates so far, scalar (). Returns the learning rate, float32 scalar ().

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> schedule = Cosine(peak=1.0, total_steps=8, cycles=2)
    >>> [round(float(schedule(step)), 3) for step in (0, 2, 3, 4, 6, 8)]
    [1.0, 0.5, 0.146, 1.0, 0.5, 0.0]
    """

    rises = False

    def __init__(
        self,
        peak: float,
        total_steps: int,
        *,
        cycles: int = 1,
        restart_decay: float = 1.0,
        end: float = 0.0,
    ):
        bounds.positive(peak=peak, total_steps=total_steps)
        _lengths.end_rate(end, peak=peak)
        bounds.integer(1, cycles=cycles)
        if cycles > total_steps:
            raise ValueError(
                f"`cycles` must be an integer from 1 to the run's {total_steps} updates. "
                f"Received: {cycles!r}."
            )
        bounds.positive(restart_decay=restart_decay)
        if restart_decay > 1:
            raise ValueError(
                f"`restart_decay` must be above 0, at most 1. Received: {restart_decay}."
            )
        self.peak, self.total_steps, self.end = peak, total_steps, end
        self.cycles, self.restart_decay = cycles, restart_decay
        # Computed here in integers: t / length in float32 may miss a restart by one update.
        self._restarts = [-(-k * total_steps // cycles) for k in range(1, cycles)]

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "float32")
        complete = ops.sum(ops.cast(step >= ops.array(self._restarts, "float32"), "float32"))
        gone = ops.clip(step * (self.cycles / self.total_steps) - complete, 0.0, 1.0)
        height = (self.peak - self.end) * ops.power(self.restart_decay, complete)
        return self.end + height * 0.5 * (1.0 + ops.cos(math.pi * gone))

    def get_config(self) -> dict[str, Any]:
        return {
            "peak": self.peak,
            "total_steps": self.total_steps,
            "cycles": self.cycles,
            "restart_decay": self.restart_decay,
            "end": self.end,
        }
