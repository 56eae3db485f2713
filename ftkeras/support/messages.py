"""Send log messages and progress to the terminal, on the command line and in Python."""

import contextlib
import io
import logging
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TextIO

LOGGER = "ftkeras"
# Both differ between threads, because each may train.
_is_quiet: ContextVar[bool] = ContextVar("is_quiet", default=False)
_progress: ContextVar[TextIO | None] = ContextVar("progress", default=None)


class Console(logging.Handler):
    """Write each record as a line: warnings to standard error, all else to standard output.

    The streams are looked up for each record. An exception, such as BrokenPipeError when nobody
    reads standard output any more, reaches the caller; logging's own handlers swallow it.
    """

    def emit(self, record: logging.LogRecord) -> None:
        is_warning = record.levelno >= logging.WARNING
        if _is_quiet.get() and not is_warning:
            return
        stream = sys.stderr if is_warning else sys.stdout
        stream.write(self.format(record) + "\n")
        stream.flush()

    def format(self, record: logging.LogRecord) -> str:
        # The record's arguments are data, such as a user's texts, and stay as they are.
        message = self.translate(str(record.msg))
        message = message % record.args if record.args else message
        return f"warning: {message}" if record.levelno >= logging.WARNING else message

    def translate(self, message: str) -> str:
        """Return the message as this console's user should read it."""
        return message


class _LogLines(io.TextIOBase):
    """A stream whose lines become log records."""

    def write(self, text: str) -> int:
        for line in filter(str.strip, text.splitlines()):
            logging.getLogger(f"{LOGGER}.progress").info("%s", line)
        return len(text)


class _Nowhere(io.TextIOBase):
    """A stream that discards what is written."""

    def write(self, text: str) -> int:
        return len(text)


def progress_stream() -> TextIO:
    """Return the stream for progress: standard error, unless `shown` chose another."""
    return _progress.get() or sys.stderr


@contextlib.contextmanager
def shown(verbose: bool) -> Iterator[None]:
    """Show messages and progress in this thread while the context lasts, or only warnings.

    Loggers that the program has set up to take the package's messages are left alone. Otherwise
    they are written to standard output. Progress is a bar on a terminal, and log lines elsewhere.

    Args:
        verbose: False for warnings only.
    """
    logger = logging.getLogger(LOGGER)
    if not (logger.isEnabledFor(logging.INFO) and logger.hasHandlers()):
        logger.addHandler(Console())
        logger.setLevel(logging.INFO)
        logger.propagate = False
    stream = _Nowhere() if not verbose else None if sys.stderr.isatty() else _LogLines()
    tokens = _is_quiet.set(not verbose), _progress.set(stream)  # type: ignore[arg-type]
    try:
        yield
    finally:
        _is_quiet.reset(tokens[0])
        _progress.reset(tokens[1])
