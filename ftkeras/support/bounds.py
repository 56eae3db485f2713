"""What the arguments of parts must be, and the one-line errors that say so."""

import math
import re
from collections.abc import Callable
from numbers import Integral, Real


def positive(**values: float) -> None:
    """Refuses what is no number above 0."""
    _check("positive", lambda value: value > 0, values)


def not_negative(**values: float) -> None:
    """Refuses what is no finite number of at least 0."""
    _check("at least 0", lambda value: 0 <= value < math.inf, values)


def share(**values: float) -> None:
    """Refuses what lies outside [0, 1)."""
    _check("at least 0 and below 1", lambda value: 0 <= value < 1, values)


def inner_share(**values: float) -> None:
    """Refuses what does not lie between 0 and 1."""
    _check("above 0 and below 1", lambda value: 0 < value < 1, values)


def whole(least: int, **values: int) -> None:
    """Refuses what is no integer of at least `least`."""

    def holds(value):
        return isinstance(value, Integral) and value >= least

    _check(f"an integer of at least {least}", holds, values)


def flag(**values: bool) -> None:
    """Refuses what is neither True nor False."""
    for name, value in values.items():
        if not isinstance(value, bool):
            raise ValueError(f"`{name}` must be True or False. Received: {value!r}.")


def expression(**values: str) -> None:
    """Refuses what is no regular expression."""
    for name, value in values.items():
        try:
            re.compile(value)
        except (re.error, TypeError) as error:
            raise ValueError(
                f"`{name}` must be a regular expression ({error}). Received: {value!r}."
            ) from None


def _check(bound: str, holds: Callable, values: dict) -> None:
    for name, value in values.items():
        number = isinstance(value, Real) and not isinstance(value, bool)
        if not (number and holds(value)):
            raise ValueError(f"`{name}` must be {bound}. Received: {value!r}.")
