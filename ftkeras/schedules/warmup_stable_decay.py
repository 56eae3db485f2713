"""A constant rate with a short decay at the end."""

from typing import Any

import keras
from keras import ops

from ftkeras.schedules import _lengths
from ftkeras.support import bounds

_SHAPES = {
    "linear": lambda gone: 1.0 - gone,
    "sqrt": lambda gone: 1.0 - ops.sqrt(gone),
}


@keras.saving.register_keras_serializable(package="ftkeras")
class WarmupStableDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Keep the learning rate for most of the run, then lower it to `end`.

    rate(t) = peak                                for t < total_steps - d
    rate(t) = end + (peak - end) * f(u)           u = (t - total_steps + d) / d, from 0 to 1

    where d is `decay` in updates, and f(u) = 1 - u, or 1 - sqrt(u) with `shape='sqrt'`. Set the
    warm-up with --warmup.

    Sources: Hu et al., 2024, equation 1, https://arxiv.org/abs/2404.06395 (they leave f open, and
    find that a tenth of the run is enough); both f: Hägele et al., 2024,
    https://arxiv.org/abs/2405.18392.

    Args:
        peak: learning rate at step 0; positive.
        total_steps: optimizer updates until `end` is reached; positive.
        decay: updates of decay: a number (100), or a share of `total_steps` (0.1).
        shape: 'linear' or 'sqrt'.
        end: last learning rate; from 0 to `peak`.

    Call:
        step: number of updates so far, scalar (). Returns the learning rate, float32 scalar ().

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> schedule = WarmupStableDecay(peak=1.0, total_steps=40, decay=0.1)
    >>> [float(schedule(step)) for step in (0, 36, 38, 40, 50)]
    [1.0, 1.0, 0.5, 0.0, 0.0]
    """

    rises = False

    def __init__(
        self,
        peak: float,
        total_steps: int,
        *,
        decay: int | float = 0.1,
        shape: str = "linear",
        end: float = 0.0,
    ):
        bounds.positive(peak=peak, total_steps=total_steps)
        _lengths.end_rate(end, peak=peak)
        bounds.choice(_SHAPES, shape=shape)
        self.peak, self.total_steps = peak, total_steps
        self.decay, self.shape, self.end = decay, shape, end
        self._steps = _lengths.within("decay", decay, total_steps=total_steps)

    def __call__(self, step: Any) -> Any:
        since = ops.cast(step, "float32") - (self.total_steps - self._steps)
        gone = ops.clip(since / self._steps, 0.0, 1.0)
        return self.end + (self.peak - self.end) * _SHAPES[self.shape](gone)

    def get_config(self) -> dict[str, Any]:
        return {
            "peak": self.peak,
            "total_steps": self.total_steps,
            "decay": self.decay,
            "shape": self.shape,
            "end": self.end,
        }
