"""Learning rates on straight lines."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from keras import ops

Tensor = Any


def piecewise_linear(points: Sequence[tuple[int, float]], step: Tensor) -> Tensor:
    """Return the learning rate on straight lines from point to point, then the last point's.

    Args:
        points: pairs of a step and a learning rate. The steps are integers, start at 0 and never
            fall. Of two points at the same step the later one counts.
        step: updates made so far, scalar ().

    Returns:
        float32 scalar ().
    """
    step = ops.cast(step, "float32")
    rate = ops.full((), points[-1][1], "float32")
    for (start, first), (end, last) in reversed(list(pairwise(points))):
        gone = (step - start) / max(1, end - start)
        rate = ops.where(step < end, first + (last - first) * gone, rate)
    return rate
