"""Define the fields of configurations, and check their values."""

import dataclasses
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ftkeras.errors import UserError
from ftkeras.support.nearest import hint

# The value of a field that the run chooses itself.
AUTO = "auto"
# The largest number that `keras.utils.set_random_seed` takes.
LARGEST_SEED = 2**32 - 1
# Values as other libraries name them.
_NAMED_ELSEWHERE = {"bf16": "mixed_bfloat16", "fp16": "mixed_float16", "fp32": "float32"}


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
            object.__setattr__(self, field.name, expand_home(field, value))


def expand_home(field: dataclasses.Field, value: Any) -> Any:
    """Return the value of a field; if it names files or folders, with `~` expanded."""
    if not field.metadata.get("path") or value is None:
        return value
    if isinstance(value, tuple):
        return tuple(map(os.path.expanduser, value))
    return os.path.expanduser(value)


def after_none(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values of a repeatable flag that count: `none` revokes those before it.

    >>> after_none(("saved_model", "none", "onnx"))
    ('onnx',)
    """
    first = max((n + 1 for n, value in enumerate(values) if value == "none"), default=0)
    return values[first:]


def check_at_least(config: Any, **bounds: int) -> None:
    """Raise UserError unless each named field is finite and at least its bound, None or auto."""
    for name, least in bounds.items():
        value = getattr(config, name)
        if value not in (None, AUTO) and not least <= value < math.inf:
            raise UserError(f"`{name}` must be at least {least}. Received: {value}.")


def check_at_most(config: Any, **bounds: int) -> None:
    """Raise UserError unless each named field is at most its bound."""
    for name, most in bounds.items():
        value = getattr(config, name)
        if value > most:
            raise UserError(f"`{name}` must be at most {most}. Received: {value}.")


def check_positive(config: Any, *names: str) -> None:
    """Raise UserError unless each named field is finite and above 0, None or auto."""
    for name in names:
        value = getattr(config, name)
        if value not in (None, AUTO) and not 0 < value < math.inf:
            raise UserError(f"`{name}` must be positive. Received: {value}.")


def check_shares(config: Any, *names: str) -> None:
    """Raise UserError unless each named field is between 0 and 1, both excluded."""
    for name in names:
        value = getattr(config, name)
        if not 0 < value < 1:
            raise UserError(f"`{name}` must be between 0 and 1. Received: {value}.")


def check_choices(config: Any, **choices: tuple[str, ...]) -> None:
    """Raise UserError unless each named field has one of its values."""
    for name, known in choices.items():
        value = getattr(config, name)
        if value not in known:
            named = _NAMED_ELSEWHERE.get(str(value), str(value))
            raise UserError(
                f"`{name}` must be {', '.join(known[:-1])} or {known[-1]}"
                f"{hint(named, known)} Received: {value!r}."
            )


def check_not_given(config: Any, verb: str, reasons: Mapping[str, str]) -> None:
    """Raise UserError if a field that a verb refuses has another value than its default.

    Args:
        config: the verb's configuration.
        verb: the verb.
        reasons: the reason for each field, by the field's name.
    """
    for name, reason in reasons.items():
        if getattr(config, name) != type(config).__dataclass_fields__[name].default:
            raise UserError(f"{verb} does not take `{name}`: {reason}.")


def check_texts(config: Any, *, folders: tuple[str, ...], name: str) -> None:
    """Raise UserError if a field can't be recorded in a line, or a name can't be that of a folder.

    Args:
        config: the configuration.
        folders: fields that name folders.
        name: the field whose value becomes one folder's name.
    """
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        for text in value if isinstance(value, tuple) else (str(value),):
            if "\n" in text or "\r" in text:
                raise UserError(
                    f"`{field.name}` must not contain a line break. Received: {value!r}."
                )
            if not text.isprintable() and any("\ud800" <= char <= "\udfff" for char in text):
                raise UserError(f"`{field.name}` must be written in UTF-8. Received: {value!r}.")
            if text != text.rstrip():
                raise UserError(f"`{field.name}` must not end with a space. Received: {value!r}.")
    for folder in folders:
        if getattr(config, folder) == "":
            raise UserError(f"`{folder}` must name a folder. Received: ''.")
    value = getattr(config, name)
    if value is not None and (value in ("", ".", "..") or "/" in value):
        raise UserError(f"`{name}` must name one folder, without a /. Received: {value!r}.")
