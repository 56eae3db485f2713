"""Define the fields of configurations, and check their values."""

import dataclasses
import math
from typing import Any

from ftkeras.errors import UserError


def flag(default: Any, group: str, help: str, free: bool = False) -> Any:
    """Return a field that is a flag.

    Args:
        default: its default.
        group: the heading under which help shows it.
        help: what it does. `{kind}` stands for the names of the parts of that kind.
        free: whether it may change when an interrupted run is resumed.
    """
    return dataclasses.field(default=default, metadata={"group": group, "help": help, "free": free})


def check_at_least(config: Any, **bounds: int) -> None:
    """Raise UserError unless each named field is finite and at least its bound, or None."""
    for name, least in bounds.items():
        value = getattr(config, name)
        if value is not None and not least <= value < math.inf:
            raise UserError(f"`{name}` must be at least {least}. Received: {value}.")


def check_positive(config: Any, *names: str) -> None:
    """Raise UserError unless each named field is finite and above 0, or None."""
    for name in names:
        value = getattr(config, name)
        if value is not None and not 0 < value < math.inf:
            raise UserError(f"`{name}` must be positive. Received: {value}.")
