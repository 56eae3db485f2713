"""Progress bars: on a terminal, in a notebook, or for a program that shows them itself."""

import contextlib
import importlib.util
import io
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, TextIO

from tqdm import tqdm

from ftkeras.support.reporter import Reporter

Make = Callable[..., tqdm]
# Makes the bars of this thread's call; None for bars wherever the stream is a terminal.
_make: ContextVar[Make | None] = ContextVar("make", default=None)


def is_live(stream: TextIO) -> bool:
    """Return whether a bar for this stream is shown while it moves."""
    return _make.get() is not None or stream.isatty()


def bar(stream: TextIO, **settings: Any) -> tqdm:
    """Return a progress bar.

    Args:
        stream: where a terminal shows it. If it is no terminal, the bar is not shown.
        **settings: those of `tqdm`.
    """
    if make := _make.get():
        return make(file=io.StringIO(), **settings)
    return tqdm(file=stream if stream.isatty() else io.StringIO(), **settings)


@contextlib.contextmanager
def made_by(make: Make | None) -> Iterator[None]:
    """Let `make` create the bars of this thread while the context lasts."""
    token = _make.set(make)
    try:
        yield
    finally:
        _make.reset(token)


def on_terminal(**settings: Any) -> tqdm:
    """Return a bar on standard error, whether it is a terminal or not."""
    return tqdm(**{**settings, "file": sys.stderr})


def in_notebook() -> bool:
    """Return whether this process is a notebook's kernel that can show widgets."""
    return "ipykernel.zmqshell" in sys.modules and has_widgets()


def has_widgets() -> bool:
    """Return whether the packages that notebooks need to show a bar are installed."""
    return all(map(importlib.util.find_spec, ("ipywidgets", "IPython")))


def as_widget(**settings: Any) -> tqdm:
    """Return a bar that a notebook shows."""
    from tqdm.notebook import tqdm as widget

    return widget(**settings)


def reported_to(reporter: Reporter) -> Make:
    """Return a factory of bars that report their progress to a reporter."""

    class Reported(tqdm):
        """A bar that is not drawn."""

        monitor_interval = 0  # the thread that redraws slow bars is not the caller's

        def display(self, msg: str | None = None, pos: int | None = None) -> None:
            if msg is None:  # otherwise the bar is removed
                reporter.progress(
                    self.desc.removesuffix(": "), self.n, self.total, self.postfix or ""
                )

    return Reported
