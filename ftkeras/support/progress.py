"""Progress as a bar on a terminal, and as lines in a log file."""

import time
from collections.abc import Callable
from typing import TextIO

from ftkeras.support import bars, messages

SECONDS_BETWEEN_LINES, SECONDS_BETWEEN_REDRAWINGS = 30, 0.5
DELAY = 1  # seconds without a bar, so that what is soon done stays quiet
FORMAT = "{desc}: {percentage:.0f}%|{bar}| {remaining} left, {rate_noinv_fmt}"
FORMAT_WITHOUT_TOTAL = "{desc}: {n_fmt}, {rate_noinv_fmt}"


class Progress:
    """Show how much is done: a bar that disappears at the end; in a log file, a line at times.

    Args:
        title: what is done, such as "evaluating test".
        total: how much there is to do; None if it is not known.
        line: returns a line for a log file from how much is done, and the seconds so far.
        done: how much was done before.
        unit: of what is done, after a number.
        stream: where to write; standard error by default.
        clock: returns seconds.

    Attributes:
        done: how much is done.
    """

    def __init__(
        self,
        title: str,
        total: int | None,
        line: Callable[[int, float], str],
        *,
        done: int = 0,
        unit: str = "",
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ):
        self.done, self._line, self._clock = done, line, clock
        self._stream = stream or messages.progress_stream()
        self._started = self._last_line = clock()
        is_live = bars.is_live(self._stream)
        self._bar = bars.bar(
            self._stream,
            total=total,
            initial=done,
            desc=title,
            unit=unit,
            bar_format=FORMAT_WITHOUT_TOTAL if total is None else FORMAT,
            dynamic_ncols=True,
            mininterval=SECONDS_BETWEEN_REDRAWINGS,
            delay=DELAY,
            leave=False,
            disable=not is_live,
        )

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def update(self, count: int) -> None:
        """Report that more is done."""
        self.done += count
        self._bar.update(count)
        now = self._clock()
        if self._bar.disable and now - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = now
            self._stream.write(self._line(self.done, now - self._started) + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Remove the bar from the screen."""
        self._bar.close()
