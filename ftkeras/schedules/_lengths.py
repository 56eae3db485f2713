"""Checks of last learning rates, of their ratios and of lengths in updates."""

from numbers import Integral, Real

from ftkeras.support import bounds


def end_rate(end: float, *, peak: float) -> None:
    """Raise ValueError unless the last learning rate is from 0 to the peak."""
    bounds.not_negative(end=end)
    if end > peak:
        raise ValueError(f"`end` must be from 0 to the peak {peak}. Received: {end}.")


def ratios(**values: float) -> None:
    """Raise ValueError unless each ratio of a learning rate to a lower one is at least 1."""
    bounds.positive(**values)
    for name, value in values.items():
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {value}.")


def updates(name: str, value: int | float, *, total_steps: int) -> int:
    """Return a length in updates, at least 1: an int is a number, a float a share of the run.

    >>> updates("every", 250, total_steps=1000), updates("every", 0.3, total_steps=1000)
    (250, 300)
    """
    if isinstance(value, Integral):
        if value >= 1 and not isinstance(value, bool):
            return int(value)
    elif isinstance(value, Real) and 0 < value <= 1:
        return max(1, round(value * total_steps))
    raise ValueError(
        f"`{name}` must be a number of updates (1 or more, without a dot) or a share of the run "
        f"(above 0, at most 1.0). Received: {value!r}."
    )


def within(name: str, value: int | float, *, total_steps: int) -> int:
    """Return a length in updates, and raise ValueError if it is longer than the run."""
    steps = updates(name, value, total_steps=total_steps)
    if steps > total_steps:
        raise ValueError(
            f"`{name}` must not be longer than the run, which has {total_steps} updates after the "
            f"warm-up. Received: {value!r}."
        )
    return steps
