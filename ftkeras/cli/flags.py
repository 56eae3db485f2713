"""Read the command line with absl: arguments to a verb and its configuration."""

import itertools
import os
import pathlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from absl import flags as absl_flags

from ftkeras import catalog
from ftkeras.cli import completion, existing, recipes, version
from ftkeras.cli import help as help_pages
from ftkeras.cli.commands import OF_TRAIN, VERBS, flag_fields
from ftkeras.config import flagfile, own_data, unknown_names
from ftkeras.config.export import formats_again
from ftkeras.config.fields import AUTO
from ftkeras.config.launch import LaunchConfig
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.runs import changes
from ftkeras.support.nearest import hint

HELP = ("--help", "-h")
VERSION = ("--version", "-V")
BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Command:
    """A parsed command line.

    Attributes:
        verb: the verb to run.
        config: an instance of the verb's configuration; None if only a text is printed.
        help: the text to print, such as a help page; None if the verb should run.
    """

    verb: str
    config: Any = None
    help: str | None = None


def parse(arguments: list[str]) -> Command:
    """Read `[VERB] --flag=value …`, where later values win and flagfiles may stand anywhere.

    Raises:
        UserError: if a verb, a flag or a value is wrong.
    """
    if not arguments:
        return Command("help", help=help_pages.start())
    if arguments[:1] == ["help"]:
        return Command("help", help=_help(arguments[1:]))
    if arguments[0] in VERSION:
        return Command("version", help=version.text())
    if arguments[0] == completion.VERB:
        return Command(completion.VERB, help=completion.script(arguments[1:]))
    verb, rest = _split_verb(recipes.resolve(arguments))
    if any(argument in HELP for argument in rest):
        return Command(verb, help=help_pages.page(verb if verb in arguments else None))
    if verb == "launch":
        return _launch(rest)
    config, positional = VERBS[verb].config, VERBS[verb].positional
    if positional:
        values, others = _read_any(config, rest)
        given = _as_dict(values)
        given[positional] = (*given.get(positional, ()), *others)
        return Command(verb, config(**given))
    values = _read(config, rest)
    if verb in changes.CHANGEABLE:
        return Command(verb, _of_finished_run(verb, values, rest))
    return Command(verb, config(**_as_dict(values)))


def _of_finished_run(verb: str, values: absl_flags.FlagValues, arguments: list[str]) -> Config:
    """Return the configuration of a finished run, as changed by the flags of a command line."""
    path, kind = _recorded_flags(values, verb), VERBS[verb].config
    trained = flagfile.read(path, Config)  # it names the file, where absl names only the flag
    recorded = _as_dict(_read(kind, [f"--flagfile={path}", *arguments]))
    # absl would append a repeated flag to the recorded values; the command line replaces them.
    changed = {name: v for name, v in _as_dict(values).items() if values[name].present}
    changes.require_allowed(verb, changed, trained, path.parent)
    given = {**recorded, **changed}
    if verb == "export":
        given["export"] = changed.get("export", formats_again(recorded["export"]))
    else:
        own_data.evaluate_on(given, changed)
    return kind(**given)


def _launch(arguments: list[str]) -> Command:
    """Read launch's own flags, and the command line behind `--` that its workers run."""
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    values, worker = _as_dict(_read(LaunchConfig, arguments[:cut])), arguments[cut + 1 :]
    inner = parse(worker) if cut < len(arguments) else Command("train")
    command = {"arguments": tuple(worker), "verb": inner.verb, "config": inner.config}
    return Command("launch", LaunchConfig(**values, **command))


def _help(about: list[str]) -> str:
    """Return the help page of a verb, part or flag, or the overview."""
    name = " ".join(word for word in about if word not in HELP)
    if not name:
        return help_pages.page()
    if name in VERBS:
        return help_pages.page(name)
    if (page := help_pages.part_page(name) or help_pages.flag_page(name)) is None:
        parts = (part for kind in catalog.KINDS for part in catalog.names(kind))
        known = [*VERBS, *parts, *sorted(OF_TRAIN)]
        raise UserError(
            f"there is no verb, part or flag {name!r}{hint(name, known)} "
            f"The verbs are: {', '.join(VERBS)}."
        )
    return page


def _split_verb(arguments: list[str]) -> tuple[str, list[str]]:
    """Return the verb and what follows it; train if the command line starts with a flag."""
    if not arguments or arguments[0].startswith("-"):
        return "train", arguments
    if arguments[0] not in VERBS:
        raise UserError(_unknown_verb(arguments[0]))
    return arguments[0], arguments[1:]


def _unknown_verb(name: str) -> str:
    if pathlib.Path(name).exists():
        return f"there is no verb {name!r}. To train on this file, write: train {name}"
    return f"there is no verb {name!r}{hint(name, VERBS)} The verbs are: {', '.join(VERBS)}."


def _read(config: type, arguments: list[str]) -> absl_flags.FlagValues:
    """Read flags only."""
    values, others = _read_any(config, arguments)
    if others:
        raise UserError(f"unexpected argument {others[0]!r}. Flags are written --flag=value.")
    return values


def _read_any(config: type, arguments: list[str]) -> tuple[absl_flags.FlagValues, list[str]]:
    """Read flags, and return the arguments that stand without a flag as well."""
    values = _define(config)
    values.set_gnu_getopt()  # flags may follow other arguments
    if "--flagfile=" in arguments:
        raise UserError("--flagfile must name a file. Received: ''.")
    try:
        others = values(["ftkeras", *arguments], known_only=False)[1:]
    except absl_flags.UnrecognizedFlagError as error:
        raise UserError(_unknown_flag(error.flagname, list(values))) from None
    except absl_flags.CantOpenFlagFileError as error:
        raise UserError(
            f"--flagfile can't be read: {_one_line(error)}. A name without a path may be one of "
            f"{', '.join(recipes.names())}."
        ) from None
    except absl_flags.IllegalFlagValueError as error:
        raise UserError(_illegal_value(config, _one_line(error))) from None
    except UnicodeDecodeError:
        raise UserError(_unreadable_flagfile(arguments)) from None
    except (absl_flags.Error, ValueError) as error:  # ValueError: --notest=x
        raise UserError(_one_line(error)) from None
    return values, others


def _unreadable_flagfile(arguments: Sequence[str]) -> str:
    """Say which flagfile is not UTF-8, as absl does not."""
    for argument, following in itertools.pairwise([*arguments, ""]):
        flag, equals, value = argument.partition("=")
        name = value if equals else following
        try:
            if flag in ("--flagfile", "-flagfile"):
                flagfile.lines_of(pathlib.Path(name).expanduser())
        except UnicodeDecodeError as error:
            return f"--flagfile={name} must be written in UTF-8: {error}."
        except OSError:  # absl did not come that far, as an earlier one names one that is not UTF-8
            break
    return "a flagfile that --flagfile names, or that is named in it, must be written in UTF-8."


def _unknown_flag(name: str, known: Collection[str]) -> str:
    advice = unknown_names.advice(name, [*known, "help"], prefix="--")
    return f"there is no flag --{name}{advice}"


def _illegal_value(config: type, problem: str) -> str:
    """Say which type a flag takes, as absl's "flag --epochs=x: invalid literal …" does not."""
    if (match := re.match(r"flag --(\w+)=(.*?): ", problem)) is None:
        return problem
    kind = flagfile.value_types(config)[match[1]]
    other = " or auto" if match[1] in flagfile.takes_auto(config) else ""
    return f"--{match[1]} must be {_TYPES[kind].description}{other}. Received: {match[2]!r}."


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


@dataclass(frozen=True)
class _FlagType:
    """The absl definition of a flag of a Python type, and the type's name in messages."""

    define: Any
    description: str


_TYPES = {
    str: _FlagType(absl_flags.DEFINE_string, "a string"),
    int: _FlagType(absl_flags.DEFINE_integer, "an integer"),
    float: _FlagType(absl_flags.DEFINE_float, "a number"),
    bool: _FlagType(absl_flags.DEFINE_bool, "true or false"),
    tuple: _FlagType(absl_flags.DEFINE_multi_string, "a string"),
}


class _OrAuto(absl_flags.ArgumentParser):
    """Parse a number, or `auto`."""

    def __init__(self, number: absl_flags.ArgumentParser):
        self.number = number

    def parse(self, argument: Any) -> Any:
        """Return the number, or `auto` as it is."""
        return argument if argument == AUTO else self.number.parse(argument)


_PARSERS = {int: absl_flags.IntegerParser(), float: absl_flags.FloatParser()}


class _FlagValues(absl_flags.FlagValues):
    """Flags whose flagfiles may begin with a byte order mark, which editors on Windows write."""

    def read_flags_from_files(self, argv: Sequence[str], force_gnu: bool = True) -> list[str]:
        """Return arguments with those of flagfiles; absl takes one with a mark for no flag."""
        read = super().read_flags_from_files(argv, force_gnu)
        if not any(argument.startswith(BYTE_ORDER_MARK) for argument in read):
            return read
        comments = tuple(BYTE_ORDER_MARK + sign for sign in ("#", "//"))
        kept = (argument for argument in read if not argument.startswith(comments))
        plain = (argument.removeprefix(BYTE_ORDER_MARK) for argument in kept)
        # Again, as the first line may name another flagfile.
        return super().read_flags_from_files([*filter(None, plain)], force_gnu)


def _define(config: type) -> absl_flags.FlagValues:
    """Define absl flags for the fields of a configuration."""
    values, kinds = _FlagValues(), flagfile.value_types(config)
    auto = flagfile.takes_auto(config)
    for field in flag_fields(config):
        if field.name in auto:
            parser, about = _OrAuto(_PARSERS[kinds[field.name]]), field.metadata["help"]
            absl_flags.DEFINE(parser, field.name, field.default, about, flag_values=values)
            continue
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        define = _TYPES[kinds[field.name]].define
        define(field.name, default, field.metadata["help"], flag_values=values)
    return values


def _as_dict(values: absl_flags.FlagValues) -> dict[str, Any]:
    given = {name: values[name].value for name in values}
    return {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}


def _recorded_flags(values: absl_flags.FlagValues, verb: str) -> pathlib.Path:
    """Return the flagfile of the finished run that `evaluate` and others start from."""
    if not (run_dir := values["run_dir"].value):
        raise UserError(f"{verb} needs --run_dir, the folder of a finished run.")
    # Before the configuration, which expands it, can be made.
    return existing.require_run(os.path.expanduser(run_dir))
