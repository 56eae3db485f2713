"""The one-cycle schedule."""

from typing import Any

import keras

from ftkeras.schedules import _lengths, _lines
from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Raise the learning rate, lower it in as many updates, then lower it by orders of magnitude.

    start = peak / ratio,  end = start / end_ratio,  r = floor(rise * total_steps)

    rate(t) = start + (peak - start) * t / r                      for t < r
    rate(t) = peak - (peak - start) * (t - r) / r                 for r <= t < 2r
    rate(t) = start - (start - end) * (t - 2r) / (total_steps - 2r)   until total_steps, then `end`

    All three parts are linear. The rise replaces the warm-up, so omit --warmup or set it to 0.

    Sources: Smith and Topin, 2018, https://arxiv.org/abs/1708.07120; Smith, 2018,
    https://arxiv.org/abs/1803.09820. A later schedule of the same name has a short rise and a
    cosine fall; `cosine` with --warmup is similar to it.

    Args:
        peak: highest learning rate; positive.
        total_steps: optimizer updates of all three parts; positive.
        rise: share of the updates during which the learning rate rises; above 0, at most 0.5.
        ratio: `peak` divided by the first learning rate; at least 1, and finite.
        end_ratio: the first learning rate divided by the last; at least 1, and finite.

    Call:
        step: number of updates so far, scalar (). Returns the learning rate, float32 scalar ().

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> schedule = OneCycle(peak=1.0, total_steps=10, rise=0.4, ratio=4, end_ratio=10)
    >>> [round(float(schedule(step)), 4) for step in (0, 2, 4, 8, 9, 10, 11)]
    [0.25, 0.625, 1.0, 0.25, 0.1375, 0.025, 0.025]
    """

    rises = True

    def __init__(
        self,
        peak: float,
        total_steps: int,
        *,
        rise: float = 0.45,
        ratio: float = 10.0,
        end_ratio: float = 1000.0,
    ):
        bounds.positive(peak=peak, total_steps=total_steps)
        bounds.positive(rise=rise)
        if rise > 0.5:
            raise ValueError(f"`rise` must be above 0, at most 0.5. Received: {rise}.")
        _lengths.ratios(ratio=ratio, end_ratio=end_ratio)
        self.peak, self.total_steps, self.rise = peak, total_steps, rise
        self.ratio, self.end_ratio = ratio, end_ratio

    def __call__(self, step: Any) -> Any:
        start, top = self.peak / self.ratio, int(self.rise * self.total_steps)
        end = start / self.end_ratio
        points = [(0, start), (top, self.peak), (2 * top, start), (self.total_steps, end)]
        return _lines.piecewise_linear(points, step)

    def get_config(self) -> dict[str, Any]:
        return {
            "peak": self.peak,
            "total_steps": self.total_steps,
            "rise": self.rise,
            "ratio": self.ratio,
            "end_ratio": self.end_ratio,
        }
