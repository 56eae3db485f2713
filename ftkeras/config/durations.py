"""Durations as flags have them: a number of updates, a share of the run, or minutes."""

import math

from ftkeras.errors import UserError


def warmup_steps(warmup: str, total_steps: int | None) -> int:
    """Return the number of warm-up updates.

    Args:
        warmup: a number of updates, at least 0, or a share of the run, at least 0 and below 1,
            which leaves one update at least after the warm-up.
        total_steps: updates of the whole run; None if it is not known yet: then only the syntax is
            checked, and a share gives 0.

    Raises:
        UserError: `warmup` is neither, or a number that is not below that of the run.

    >>> warmup_steps("100", total_steps=1000), warmup_steps("0.06", total_steps=1000)
    (100, 60)
    >>> warmup_steps("0.96", total_steps=10)
    9
    """
    problem = f"`warmup` must be a number of updates or a share below 1. Received: {warmup!r}."
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
        return 0 if total_steps is None else min(round(share * total_steps), total_steps - 1)
    if steps < 0:
        raise UserError(problem)
    if total_steps is not None and steps >= total_steps:
        raise UserError(
            f"warmup={warmup} is not shorter than the run, which has {total_steps} updates."
        )
    return steps


def checkpoint_interval(text: str) -> tuple[float, bool]:
    """Return the interval between two checkpoints, and whether it is in seconds, not in updates.

    Args:
        text: minutes, such as "10m", or updates, such as "500"; 0 for none before the end.

    Raises:
        UserError: `text` is neither.

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
