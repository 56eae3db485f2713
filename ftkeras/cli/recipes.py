"""Find the recipes that ftkeras brings along: `--flagfile=minilm` is `flags/minilm.cfg`."""

import pathlib
import re

FOLDER = pathlib.Path(__file__).parents[1] / "flags"
_FLAG = re.compile(r"(--?flagfile=)([\w-]+)(\.cfg)?")


def names() -> list[str]:
    """Return the names of all recipes, sorted.

    >>> "minilm" in names()
    True
    """
    return sorted(path.stem for path in FOLDER.glob("*.cfg"))


def resolve(arguments: list[str]) -> list[str]:
    """Replace the names of recipes in `--flagfile=name` by their paths.

    A file of that name in the current folder is used instead. What follows `--` stays as it is.

    >>> resolve(["train", "--flagfile=minilm", "--seed=2"])[1].endswith("flags/minilm.cfg")
    True
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return [*map(_resolved, arguments[:end]), *arguments[end:]]


def _resolved(argument: str) -> str:
    match = _FLAG.fullmatch(argument)
    if match is None or match[2] not in names() or pathlib.Path(argument.split("=", 1)[1]).exists():
        return argument
    return f"{match[1]}{FOLDER / match[2]}.cfg"
