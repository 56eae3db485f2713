"""Define the fields of configurations, and check their values."""

import dataclasses
import math
import os
from dataclasses import dataclass
from typing import Any

from ftkeras.errors import UserError

# The value of a field that the run chooses itself.
AUTO = "auto"


def flag(default: Any, group: str, help: str, free: bool = False, path: bool = False) -> Any:
    """Return a field that is a flag.

    Args:
        default: its default.
        group: the heading under which help shows it.
        help: what it does. `{kind}` stands for the names of the parts of that kind.
        free: whether it may change when an interrupted run is resumed.
        path: whether it names files or folders, in which `~` is the home directory.
    """
    metadata = {"group": group, "help": help, "free": free, "path": path}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class WithPaths:
    """The base of all configurations: expands `~` in the fields that name files or folders."""

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not field.metadata.get("path") or value is None:
                continue
            several = isinstance(value, tuple)
            paths = tuple(map(os.path.expanduser, value if several else (value,)))
            object.__setattr__(self, field.name, paths if several else paths[0])


def check_at_least(config: Any, **bounds: int) -> None:
    """Raise UserError unless each named field is finite and at least its bound, None or auto."""
    for name, least in bounds.items():
        value = getattr(config, name)
        if value not in (None, AUTO) and not least <= value < math.inf:
            raise UserError(f"`{name}` must be at least {least}. Received: {value}.")


def check_positive(config: Any, *names: str) -> None:
    """Raise UserError unless each named field is finite and above 0, None or auto."""
    for name in names:
        value = getattr(config, name)
        if value not in (None, AUTO) and not 0 < value < math.inf:
            raise UserError(f"`{name}` must be positive. Received: {value}.")
