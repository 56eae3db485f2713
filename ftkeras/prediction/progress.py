"""The progress of `predict`."""

import functools
from typing import Any

from ftkeras.support import times
from ftkeras.support.progress import Progress


def show_progress(total: int | None, done: int = 0, **settings: Any) -> Progress:
    """Return a progress line with the number of answered texts, their rate, and the remaining time.

    Args:
        total: of the texts; None if it is not known, as of standard input.
        done: how many were answered before.
        **settings: `stream` and `clock` of `Progress`.
    """
    line = functools.partial(_line, total, done)
    return Progress("answering", total, line, done=done, unit=" texts", **settings)


def _line(total: int | None, before: int, done: int, seconds: float) -> str:
    rate = (done - before) / seconds
    speed = f"{rate:,.0f} per second" if rate >= 10 else f"{rate:.1f} per second"
    if total is None:
        return f"answering: {done:,} texts, {speed}"
    left = times.duration((total - done) / rate)
    return f"answering: {done:,} of {total:,} texts, {speed}, {left} left"
