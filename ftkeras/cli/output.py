"""Show messages and errors to the user of the command line, with arguments written as flags.

Below `cli/` a message names an argument, as in "`folds` must be at least 2" or "run_dir=x is in
use". The user of the command line knows arguments as flags, so `as_flags` writes `--folds` and
`--run_dir=x`.
"""

import dataclasses
import functools
import logging
import re

from ftkeras.cli.commands import VERBS
from ftkeras.errors import PartError
from ftkeras.support.messages import LOGGER, Console


class _Console(Console):
    """Write log records with arguments as flags."""

    def translate(self, message: str) -> str:
        return as_flags(message)


def show_messages() -> None:
    """Send the package's log messages to the console; further calls change nothing."""
    logger = logging.getLogger(LOGGER)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if not any(isinstance(handler, _Console) for handler in logger.handlers):
        logger.addHandler(_Console())


def error_line(error: Exception) -> str:
    """Return an error's message as one line, with arguments written as flags.

    A part's reason stays as it is: it names the part's own keys, which may be called like a flag.
    Line breaks and other control characters, which a message may quote, are shown as escapes.
    """
    if isinstance(error, PartError):
        message = f"--{error.kind}={error.spec}: {error.reason}"
    else:
        message = as_flags(str(error))
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in message)


def as_flags(message: str) -> str:
    """Return the message with each argument written as the flag that sets it.

    Keys in the brackets of a part's spec are not arguments and stay as they are, and so does what
    was received.

    >>> as_flags("`folds` must be at least 2; run_dir=x stays as it is")
    '--folds must be at least 2; --run_dir=x stays as it is'
    >>> as_flags("schedule=step(steps=3), steps=9")
    '--schedule=step(steps=3), --steps=9'
    """

    def shown(match: re.Match) -> str:
        return match["spec"] or f"--{match['quoted'] or match['assigned']}"

    text, received, value = message.partition("Received: ")
    return _pattern().sub(shown, text) + received + value


@functools.cache
def _pattern() -> re.Pattern:
    names = "|".join(sorted(_flag_names(), key=len, reverse=True))
    spec = r"(?P<spec>\w+\((?:[^()]|\([^()]*\))*\))"  # with one level of brackets inside
    # Not in the middle of a word, of a path, of quoted text, or of what is a flag already.
    assigned = rf"(?<![\w.\-/'\"`])(?P<assigned>{names})(?==)"
    return re.compile(rf"{spec}|`(?P<quoted>{names})`|{assigned}")


def _flag_names() -> set[str]:
    fields = [f for verb in VERBS.values() for f in dataclasses.fields(verb.config)]
    negated = {f"no{field.name}" for field in fields if isinstance(field.default, bool)}
    return {field.name for field in fields} | negated
