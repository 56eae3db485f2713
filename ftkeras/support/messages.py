"""Send log messages and progress to the terminal, on the command line and in Python."""

import contextlib
import io
import logging
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, TextIO

from ftkeras.errors import UserError
from ftkeras.support import bars
from ftkeras.support.reporter import Reporter

LOGGER = "ftkeras"
# Reporters that are chosen by their names.
AUTO, LINES, NOTEBOOK, SILENT, TERMINAL = "auto", "lines", "notebook", "silent", "terminal"
NAMES = (AUTO, TERMINAL, NOTEBOOK, LINES, SILENT)
# They differ between threads, because each may train.
_is_quiet: ContextVar[bool] = ContextVar("is_quiet", default=False)
_progress: ContextVar[TextIO | None] = ContextVar("progress", default=None)
_reporter: ContextVar[Reporter | None] = ContextVar("reporter", default=None)


class Console(logging.Handler):
    """Write each record as a line: warnings to standard error, all else to standard output.

    The streams are looked up for each record. An exception, such as BrokenPipeError when nobody
    reads standard output any more, reaches the caller; logging's own handlers swallow it.
    """

    def emit(self, record: logging.LogRecord) -> None:
        is_warning = record.levelno >= logging.WARNING
        if _reporter.get() is not None or (_is_quiet.get() and not is_warning):
            return
        stream = sys.stderr if is_warning else sys.stdout
        stream.write(self.format(record) + "\n")
        stream.flush()

    def format(self, record: logging.LogRecord) -> str:
        message = self.message(record)
        return f"warning: {message}" if record.levelno >= logging.WARNING else message

    def message(self, record: logging.LogRecord) -> str:
        """Return a record's message."""
        # The record's arguments are data, such as a user's texts, and stay as they are.
        message = self.translate(str(record.msg))
        return message % record.args if record.args else message

    def translate(self, message: str) -> str:
        """Return the message as this console's user should read it."""
        return message


class _Reported(Console):
    """Give the records of this thread's call to its reporter."""

    def emit(self, record: logging.LogRecord) -> None:
        is_warning = record.levelno >= logging.WARNING
        reporter = _reporter.get()
        if reporter is not None and (is_warning or not _is_quiet.get()):
            reporter.message(self.message(record), is_warning=is_warning)


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
def shown(verbose: bool, reporter: Reporter | str = AUTO) -> Iterator[None]:
    """Show messages and progress of this thread while the context lasts, or only warnings.

    Loggers that the program has set up to take the package's messages are left alone. Otherwise
    they are written to standard output.

    Args:
        verbose: False for warnings only.
        reporter: who shows them, or a name: "terminal" for bars on standard error, "notebook" for
            bars in a notebook, "lines" for lines instead of bars, "silent" for warnings only, and
            "auto" for the one that fits.

    Raises:
        UserError: there is no such reporter, or it needs a package.
    """
    logger = logging.getLogger(LOGGER)
    if not (logger.isEnabledFor(logging.INFO) and logger.hasHandlers()):
        logger.addHandler(Console())
        logger.setLevel(logging.INFO)
        logger.propagate = False
    own = reporter if isinstance(reporter, Reporter) else None
    quiet = not verbose or reporter == SILENT
    stream, make = (_Nowhere(), None) if quiet else _progress_of(reporter)
    # It stays, because another thread may have a reporter when this call ends.
    if own is not None and not any(isinstance(one, _Reported) for one in logger.handlers):
        logger.addHandler(_Reported())
    with _set(_is_quiet, quiet), _set(_progress, stream), _set(_reporter, own), bars.made_by(make):
        yield


def _progress_of(reporter: Reporter | str) -> tuple[Any, bars.Make | None]:
    """Return the stream for lines of progress, None for standard error, and what makes bars.

    Raises:
        UserError: as `shown`.
    """
    if isinstance(reporter, Reporter):
        return _LogLines(), bars.reported_to(reporter)
    if reporter not in NAMES:
        raise UserError(
            f"`reporter` must be {', '.join(NAMES)}, or a ftkeras.Reporter. Received: {reporter!r}."
        )
    if reporter == NOTEBOOK and not bars.has_widgets():
        raise UserError("reporter=notebook needs ipywidgets: pip install ipywidgets")
    if reporter == NOTEBOOK or (reporter == AUTO and bars.in_notebook()):
        return _LogLines(), bars.as_widget
    if reporter == TERMINAL:
        return None, bars.on_terminal
    return (None if reporter == AUTO and sys.stderr.isatty() else _LogLines()), None


@contextlib.contextmanager
def _set(variable: ContextVar, value: Any) -> Iterator[None]:
    """Give a variable another value while the context lasts."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)
