"""Configurations as flagfiles and command lines: one `--name=value` for each field.

A run records its configuration in a flagfile, from which it is read again. The syntax is absl's:

- `--name=value`, and for a boolean also `--name` and `--noname`;
- a field that is a tuple takes one line for each value;
- of other fields that are given more than once, the last one wins;
- empty lines and lines that start with `#` or `//` are skipped.
"""

import dataclasses
import os
import pathlib
import shlex
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from ftkeras.config.fields import AUTO
from ftkeras.errors import UserError
from ftkeras.support import specs
from ftkeras.support.specs import Spec

Configuration = TypeVar("Configuration")
# The place of a run, and how it is started: fields that do not change its result.
NOT_RECORDED = ("run_dir", "search_dir", "restart", "force", "debug")
# `int | None` has the first origin, and one with a Literal in it the second.
UNIONS = (types.UnionType, typing.Union)
TRUE, FALSE = ("true", "t", "1"), ("false", "f", "0")


def render(config: Any, *, without: Sequence[str] = NOT_RECORDED) -> str:
    """Return the text of a flagfile from which `read` makes `config` again.

    Args:
        config: a configuration, such as `config.run.Config`.
        without: names of fields to omit.
    """
    return "\n".join(arguments(config, without=without)) + "\n"


def arguments(config: Any, *, without: Sequence[str] = NOT_RECORDED) -> list[str]:
    """Return the command line that says `config`; fields that are None are omitted.

    >>> from ftkeras.config.predict import PredictConfig
    >>> arguments(PredictConfig(model="m", text=("one", "two"), json=True), without=("batch_size",))
    ['--model=m', '--text=one', '--text=two', '--resume=false', '--json=true', '--debug=false']
    """
    lines = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name in without or value is None:
            continue
        values = value if isinstance(value, tuple) else (value,)
        lines += [f"--{field.name}={written(item)}" for item in values]
    return lines


def shortest_words(verb: str, config: Any) -> list[str]:
    """Return the words of the shortest command line that gives `config`, quoted for a shell.

    A field is left out only if the others give its value: some defaults depend on them.
    """
    fields = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    said = {name: value for name, value in fields.items() if name not in NOT_RECORDED}
    expected = type(config)(**said)
    for name in list(said):
        others = {other: value for other, value in said.items() if other != name}
        try:
            is_given = type(config)(**others) == expected
        except UserError:
            continue
        if is_given:
            said = others
    words = ["ftkeras", verb, *arguments(config, without=[n for n in fields if n not in said])]
    return list(map(_quoted, words))


def shortest_command(verb: str, config: Any) -> str:
    """Return the shortest command line that gives `config`.

    >>> from ftkeras.config.run import Config
    >>> shortest_command("train", Config(task="quickstart", seed=3, run_dir="run"))
    'ftkeras train --task=quickstart --seed=3'
    """
    return " ".join(shortest_words(verb, config))


def _quoted(word: str) -> str:
    """Return a word for a shell, in double quotes if it has single ones.

    >>> print(_quoted("--task=regression(train='x.csv')"), _quoted("--head=mlp"))
    "--task=regression(train='x.csv')" --head=mlp
    """
    is_simple = "'" in word and not set(word) & set('"$`\\!')
    return f'"{word}"' if is_simple else shlex.quote(word)


def written(value: object) -> str:
    """Return a single value as a flagfile has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def differences(config: Any, before: Any, *, also: Sequence[str] = ()) -> list[str]:
    """Return a note for each field that decides a run and is not what it was before.

    Two spellings of a path that exists, or of a part, are the same.

    Args:
        config: the new configuration.
        before: the recorded one, of the same class.
        also: fields to compare although they are free, that is, may change when a run is resumed.
    """
    return [
        f"`{field.name}`={getattr(config, field.name)} (there {getattr(before, field.name)})"
        for field in dataclasses.fields(config)
        if (field.name in also or not field.metadata["free"])
        and not are_same(getattr(config, field.name), getattr(before, field.name))
    ]


def are_same(one: Any, other: Any) -> bool:
    """Return whether two values of a field are equal, or spellings of one path or part.

    >>> are_same("adamw", "adamw()"), are_same("adamw", "adamw(beta_1=0.8)")
    (True, False)
    """
    if one == other or not (isinstance(one, str) and isinstance(other, str)):
        return one == other
    if os.path.exists(one) and os.path.exists(other):
        return os.path.samefile(one, other)
    spec = _spec(one)
    return spec is not None and spec == _spec(other)


def _spec(text: str) -> Spec | None:
    """Return the part that a text names; None if it is the text of something else."""
    try:
        return specs.parse("", text)
    except UserError:
        return None


def read(path: pathlib.Path, kind: type[Configuration]) -> Configuration:
    """Return the configuration that a flagfile records.

    Args:
        path: the flagfile.
        kind: the configuration's class; fields that the file omits get their defaults.

    Raises:
        UserError: the file can't be read, names an unknown argument or has a wrong value.
    """
    try:
        lines = lines_of(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} can't be read: {getattr(error, 'strerror', error)}.") from None
    kinds, auto, values = value_types(kind), takes_auto(kind), {}
    for name, text in _assignments(lines, kinds, path):
        is_auto = name in auto and text == AUTO
        value = AUTO if is_auto else _converted(name, text, kinds[name], path)
        values[name] = (*values.get(name, ()), value) if kinds[name] is tuple else value
    return kind(**values)


def lines_of(path: pathlib.Path) -> list[str]:
    """Return the lines of a flagfile, without a byte order mark.

    Not by splitlines(), which also splits at characters within a value, such as U+2028.

    Raises:
        OSError: the file can't be read.
        UnicodeDecodeError: it is not UTF-8.
    """
    return path.read_text(encoding="utf-8-sig").split("\n")


def value_types(kind: type) -> dict[str, type]:
    """Return the type of each field that is a flag: str, int, float, bool or tuple (of strings)."""
    hints = typing.get_type_hints(kind)
    named = [field.name for field in dataclasses.fields(kind) if "help" in field.metadata]
    return {name: _plain(hints[name]) for name in named}


def takes_auto(kind: type) -> set[str]:
    """Return the names of the fields that are numbers or `auto`.

    >>> from ftkeras.config.run import Config
    >>> sorted(takes_auto(Config))
    ['epochs', 'learning_rate']
    """
    hints = typing.get_type_hints(kind)
    return {name for name, hint in hints.items() if typing.Literal["auto"] in typing.get_args(hint)}


def _plain(hint: Any) -> type:
    """Return the type behind an optional or generic annotation."""
    if typing.get_origin(hint) in UNIONS:
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    return typing.get_origin(hint) or hint


def _assignments(
    lines: Sequence[str], kinds: dict[str, type], path: pathlib.Path
) -> Iterator[tuple[str, str]]:
    """Yield the field's name and the text of its value for each line that sets one."""
    for line in map(str.strip, lines):
        if not line or line.startswith(("#", "//")):
            continue
        name, equals, text = line.lstrip("-").partition("=")
        if not equals and name not in kinds and name.startswith("no"):
            name, text = name.removeprefix("no"), "false"
            known = kinds.get(name) is bool
        else:
            text = text if equals else "true"
            known = name in kinds and (equals or kinds[name] is bool)
        if not line.startswith("-") or not known:
            raise UserError(f"{path} has a line that sets no known argument. Received: {line!r}.")
        yield name, text


def _converted(name: str, text: str, kind: type, path: pathlib.Path) -> object:
    convert: Callable[[str], object] = {int: int, float: float, bool: _boolean}.get(kind, str)
    try:
        return convert(text)
    except ValueError:
        raise UserError(
            f"{path}: `{name}` must be of type {kind.__name__}. Received: {text!r}."
        ) from None


def _boolean(text: str) -> bool:
    if text.lower() not in (*TRUE, *FALSE):
        raise ValueError(text)
    return text.lower() in TRUE
