"""Decay in steps."""

from itertools import pairwise
from numbers import Integral
from typing import Any

import keras
from keras import ops

from ftkeras.schedules import _lengths
from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class Step(keras.optimizers.schedules.LearningRateSchedule):
    """Multiply the learning rate by a factor at certain updates, and keep it constant in between.

    rate(t) = peak * factor^floor(t / every)
    rate(t) = peak * factor^(number of boundaries <= t)      if `boundaries` are given

    Source: Goyal et al., 2017, section 5.1 (to a tenth at 30, 60 and 80 of 90 epochs),
    https://arxiv.org/abs/1706.02677.

    Args:
        peak: learning rate at step 0; positive.
        total_steps: optimizer updates of the run, used for shares; positive.
        every: updates between drops: a number (500), or a share of `total_steps` (0.3). Default:
            0.3, if there are no boundaries.
        boundaries: the updates before which the learning rate drops, each a number or a share, in
            increasing order. Default: those that `every` gives.
        factor: share of the learning rate that is left after a drop; above 0, below 1.

    Call:
        step: number of updates so far, scalar (). Returns the learning rate, float32 scalar ().

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> schedule = Step(peak=1.0, total_steps=90, boundaries=(30, 60, 80), factor=0.5)
    >>> [float(schedule(step)) for step in (29, 30, 60, 80)]
    [1.0, 0.5, 0.25, 0.125]
    """

    rises = False

    def __init__(
        self,
        peak: float,
        total_steps: int,
        *,
        every: int | float | None = None,
        boundaries: tuple[int | float, ...] | None = None,
        factor: float = 0.1,
    ):
        bounds.positive(peak=peak, total_steps=total_steps)
        bounds.positive_share(factor=factor)
        if every is not None and boundaries is not None:
            raise ValueError(
                "`every` and `boundaries` can't be combined; use one. "
                f"Received: every={every!r} and boundaries={boundaries!r}."
            )
        self.peak, self.total_steps, self.factor = peak, total_steps, factor
        self.every, self.boundaries = every, boundaries
        if boundaries is None:
            every = 0.3 if every is None else every
            self._every = _lengths.within("every", every, total_steps=total_steps)
        else:
            self._boundaries = _checked_boundaries(boundaries, total_steps)

    def __call__(self, step: Any) -> Any:
        if self.boundaries is None:
            # In integers: a quotient in float32 may miss a drop by one update.
            drops = ops.cast(step, "int32") // self._every
        else:
            drops = ops.sum(ops.cast(step, "float32") >= ops.array(self._boundaries, "float32"))
        return self.peak * ops.power(self.factor, ops.cast(drops, "float32"))

    def get_config(self) -> dict[str, Any]:
        return {
            "peak": self.peak,
            "total_steps": self.total_steps,
            "every": self.every,
            "boundaries": self.boundaries,
            "factor": self.factor,
        }


def _checked_boundaries(boundaries: Any, total_steps: int) -> list[int]:
    if not (isinstance(boundaries, (list, tuple)) and boundaries):
        raise ValueError(
            f"`boundaries` must be updates, such as (0.5, 0.8). Received: {boundaries!r}."
        )
    steps = [_lengths.within("boundaries", b, total_steps=total_steps) for b in boundaries]
    for pair, (before, after) in zip(pairwise(boundaries), pairwise(steps), strict=True):
        alike = len({isinstance(boundary, Integral) for boundary in pair}) == 1
        # Two shares may be the same update of a short run.
        if before > after or (alike and pair[0] >= pair[1]):
            raise ValueError(f"`boundaries` must rise. Received: {boundaries!r}.")
    return steps
