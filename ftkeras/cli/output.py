"""Show a run's messages on standard output, with arguments written as flags.

Below `cli/` a message names an argument, as in "`folds` must be at least 2" or "run_dir=x is in
use". A reader of the command line knows it as a flag, so `as_flags` writes `--folds` and
`--run_dir=x`.
"""

import dataclasses
import functools
import logging
import re
import sys

from ftkeras.cli import flags


class _StandardOutput(logging.Handler):
    """Write each record as a line to whatever `sys.stdout` is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stdout.write(self.format(record) + "\n")
        sys.stdout.flush()

    def format(self, record: logging.LogRecord) -> str:
        # Only the message itself: its arguments are data, such as a user's texts.
        message = as_flags(str(record.msg))
        return message % record.args if record.args else message


def show_messages() -> None:
    """Send the package's messages to standard output, once however often it is called."""
    logger = logging.getLogger("ftkeras")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if not any(isinstance(handler, _StandardOutput) for handler in logger.handlers):
        logger.addHandler(_StandardOutput())


def as_flags(message: str) -> str:
    """Return the message with each argument written as the flag that sets it.

    >>> as_flags("`folds` must be at least 2; run_dir=x stays as it is")
    '--folds must be at least 2; --run_dir=x stays as it is'
    """
    return _arguments().sub(lambda found: f"--{found['alone'] or found['set']}", message)


@functools.cache
def _arguments() -> re.Pattern:
    fields = {f.name for verb in flags.VERBS.values() for f in dataclasses.fields(verb.config)}
    names = "|".join(sorted(fields | {f"no{name}" for name in fields}, key=len, reverse=True))
    # A key of a part, such as lora(dropout=0.1), stands behind a bracket or a comma in one.
    return re.compile(rf"`(?P<alone>{names})`|(?:(?<=\s)|^)(?<!, )(?P<set>{names})(?==)")
