from itertools import pairwise

from keras import ops


def through(points, step):
    """The rate on straight lines from point to point, and the last point's ever after.

    Args:
        points: (step, rate) pairs, the steps whole numbers that never fall, the first of them 0.
            Of two at the same step the later holds.
        step: updates already made, scalar ().

    Returns:
        The rate, float32 scalar ().
    """
    step = ops.cast(step, "float32")
    rate = ops.full((), points[-1][1], "float32")
    for (begins, first), (ends, last) in reversed(list(pairwise(points))):
        gone = (step - begins) / max(1, ends - begins)
        rate = ops.where(step < ends, first + (last - first) * gone, rate)
    return rate
