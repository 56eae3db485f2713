"""Stretches of a run as they are written in flags: a count of updates, a share, or minutes."""

import math

from ftkeras.errors import UserError


def warmup_steps(warmup: str, total_steps: int | None) -> int:
    """Updates of warm-up: `warmup` itself where it is a count, else that share of `total_steps`.

    >>> warmup_steps("100", total_steps=1000), warmup_steps("0.06", total_steps=1000)
    (100, 60)
    """
    problem = f"`warmup` must be a count of updates or a share below 1. Received: {warmup!r}."
    try:
        steps = int(warmup)
        share = None
    except ValueError:
        try:
            share = float(warmup)
        except ValueError:
            raise UserError(problem) from None
    if share is not None:
        if not 0 <= share < 1:
            raise UserError(problem)
        return 0 if total_steps is None else round(share * total_steps)
    if steps < 0:
        raise UserError(problem)
    if total_steps is not None and steps >= total_steps:
        raise UserError(
            f"warmup={warmup} is not shorter than the run, which has {total_steps} updates."
        )
    return steps


def checkpoint_interval(text: str) -> tuple[float, bool]:
    """What lies between two checkpoints, and whether it is seconds; else it is updates.

    >>> checkpoint_interval("10m"), checkpoint_interval("500")
    ((600.0, True), (500, False))
    """
    try:
        if text.endswith("m"):
            interval = (60 * float(text.removesuffix("m")), True)
        else:
            interval = (int(text), False)
        if not 0 <= interval[0] < math.inf:
            raise ValueError
    except ValueError:
        raise UserError(
            f"`checkpoint_every` must be minutes (10m) or updates (500). Received: {text!r}."
        ) from None
    return interval
