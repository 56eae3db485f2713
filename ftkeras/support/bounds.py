"""Check the arguments of parts: each function raises a one-line ValueError that names the argument.

>>> share(dropout=0.1, warmup=1.5)
Traceback (most recent call last):
    ...
ValueError: `warmup` must be at least 0 and below 1. Received: 1.5.
"""

import math
import re
from collections.abc import Callable, Collection
from numbers import Integral, Real
from typing import Any

LARGEST_FLOAT32 = float.fromhex("0x1.fffffep+127")  # without NumPy, which takes long to import


def positive(**values: float) -> None:
    """Raise ValueError unless each value is a finite number above 0."""
    _check("positive and finite", lambda value: 0 < value < math.inf, values)


def not_negative(**values: float) -> None:
    """Raise ValueError unless each value is a finite number of at least 0."""
    _check("at least 0 and finite", lambda value: 0 <= value < math.inf, values)


def finite(**values: float) -> None:
    """Raise ValueError unless each value is a finite number."""
    _check("a finite number", math.isfinite, values)


def share(**values: float) -> None:
    """Raise ValueError unless each value is a number in [0, 1)."""
    _check("at least 0 and below 1", lambda value: 0 <= value < 1, values)


def whole_share(**values: float) -> None:
    """Raise ValueError unless each value is a number in [0, 1]."""
    _check("from 0 to 1", lambda value: 0 <= value <= 1, values)


def positive_share(**values: float) -> None:
    """Raise ValueError unless each value is a number in (0, 1)."""
    _check("above 0 and below 1", lambda value: 0 < value < 1, values)


def integer(least: int, **values: Any) -> None:
    """Raise ValueError unless each value is an integer of at least `least`."""

    def holds(value: float) -> bool:
        return isinstance(value, Integral) and value >= least

    _check(f"an integer of at least {least}", holds, values)


def optional_integer(least: int, **values: Any) -> None:
    """Raise ValueError unless each value is None or an integer of at least `least`."""
    integer(least, **{name: value for name, value in values.items() if value is not None})


def boolean(**values: Any) -> None:
    """Raise ValueError unless each value is True or False, of Python or NumPy."""
    for name, value in values.items():
        # Without NumPy, whose import would delay the command line.
        is_numpys = getattr(value, "dtype", None) == "bool" and value.shape == ()
        if not (isinstance(value, bool) or is_numpys):
            raise ValueError(f"`{name}` must be True or False. Received: {value!r}.")


def choice(choices: Collection[str], **values: str) -> None:
    """Raise ValueError unless each value is one of the choices."""
    for name, value in values.items():
        if not (isinstance(value, str) and value in choices):
            raise ValueError(f"`{name}` must be one of {', '.join(choices)}. Received: {value!r}.")


def regular_expression(**values: str) -> None:
    """Raise ValueError unless each value is a regular expression."""
    for name, value in values.items():
        try:
            re.compile(value)
        except (re.error, TypeError) as error:
            raise ValueError(
                f"`{name}` must be a regular expression ({error}). Received: {value!r}."
            ) from None


def _check(bound: str, holds: Callable[[Any], bool], values: dict[str, Any]) -> None:
    for name, value in values.items():
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        if not (is_number and holds(value)):
            raise ValueError(f"`{name}` must be {bound}. Received: {value!r}.")
