"""Last rates and lengths of a run: what they must be, and the errors that say so."""


def end_rate(end: float, *, peak: float) -> None:
    """Refuses a last rate below 0 or above the peak."""
    if not 0 <= end <= peak:
        raise ValueError(f"`end` must lie between 0 and the peak {peak}. Received: {end}.")


def updates(name: str, value: int | float, *, total_steps: int) -> int:
    """A length in updates: an int is a count, a float a share of `total_steps`; at least 1.

    >>> updates("every", 250, total_steps=1000), updates("every", 0.3, total_steps=1000)
    (250, 300)
    """
    if isinstance(value, int) and value >= 1:
        return int(value)
    if isinstance(value, float) and 0 < value <= 1:
        return max(1, round(value * total_steps))
    raise ValueError(
        f"`{name}` must be a count of updates (1 or more, without a dot) or a share of the run "
        f"(above 0, at most 1.0). Received: {value!r}."
    )


def within(name: str, value: int | float, *, total_steps: int) -> int:
    """The same, refused where it is longer than the run."""
    steps = updates(name, value, total_steps=total_steps)
    if steps > total_steps:
        raise ValueError(
            f"`{name}` must not be longer than the run, which has {total_steps} updates after the "
            f"warm-up. Received: {value!r}."
        )
    return steps
