"""What the arguments of several regularizers must be, and the errors that say so."""

import math
import re
from numbers import Integral, Real


def not_negative(**values: float) -> None:
    """Refuses what is below 0."""
    _check("at least 0", lambda value: 0 <= value < math.inf, values)


def share(**values: float) -> None:
    """Refuses what lies outside [0, 1)."""
    _check("at least 0 and below 1", lambda value: 0 <= value < 1, values)


def count(**values: int) -> None:
    """Refuses what is no whole number of at least 1."""
    _check("a whole number, at least 1", lambda v: isinstance(v, Integral) and v >= 1, values)


def expression(**values: str) -> None:
    """Refuses what is no regular expression."""
    for name, value in values.items():
        try:
            re.compile(value)
        except (re.error, TypeError) as error:
            raise ValueError(
                f"`{name}` must be a regular expression ({error}). Received: {value!r}."
            ) from None


def _check(bound, holds, values):
    for name, value in values.items():
        number = isinstance(value, Real) and not isinstance(value, bool)
        if not (number and holds(value)):
            raise ValueError(f"`{name}` must be {bound}. Received: {value!r}.")
