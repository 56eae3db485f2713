"""The slanted triangular schedule."""

from typing import Any

import keras

from ftkeras.schedules import _lengths, _lines
from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class SlantedTriangular(keras.optimizers.schedules.LearningRateSchedule):
    """Raise the learning rate quickly, then lower it slowly, both linearly, as in ULMFiT.

    rate(t) = peak * (1 + p(t) * (ratio - 1)) / ratio
    p(t) = t / c                                    for t < c = floor(cut * total_steps)
    p(t) = max(1 - (t - c) / (total_steps - c), 0)  from then on

    The rise replaces the warm-up, so omit --warmup or set it to 0. The paper divides the fall by
    c * (1 / cut - 1), which is total_steps - c, except for the rounding of c.

    Source: Howard and Ruder, 2018, equation 3, https://arxiv.org/abs/1801.06146.

    Args:
        peak: highest learning rate; positive.
        total_steps: optimizer updates of the whole triangle; positive.
        cut: share of the updates during which the learning rate rises; above 0, below 1.
        ratio: the highest learning rate divided by the lowest; at least 1, and finite.

    Call:
        step: number of updates so far, scalar (). Returns the learning rate, float32 scalar ().

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> schedule = SlantedTriangular(peak=1.0, total_steps=40, cut=0.1, ratio=4)
    >>> [float(schedule(step)) for step in (0, 2, 4, 22, 40, 50)]
    [0.25, 0.625, 1.0, 0.625, 0.25, 0.25]
    """

    rises = True

    def __init__(self, peak: float, total_steps: int, *, cut: float = 0.1, ratio: float = 32.0):
        bounds.positive(peak=peak, total_steps=total_steps)
        bounds.positive_share(cut=cut)
        _lengths.ratios(ratio=ratio)
        self.peak, self.total_steps, self.cut, self.ratio = peak, total_steps, cut, ratio

    def __call__(self, step: Any) -> Any:
        lowest, top = self.peak / self.ratio, int(self.cut * self.total_steps)
        points = [(0, lowest), (top, self.peak), (self.total_steps, lowest)]
        return _lines.piecewise_linear(points, step)

    def get_config(self) -> dict[str, Any]:
        return {
            "peak": self.peak,
            "total_steps": self.total_steps,
            "cut": self.cut,
            "ratio": self.ratio,
        }
