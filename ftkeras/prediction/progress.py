"""The progress bar of `predict`."""

import time
from collections.abc import Callable
from typing import TextIO

from tqdm import tqdm

from ftkeras.support import messages, times

SECONDS_BETWEEN_LINES = 30
DELAY = 1  # seconds without a bar, so that a short prediction stays quiet
FORMAT = "{desc}: {percentage:.0f}%|{bar}| {remaining} left, {rate_noinv_fmt}"
FORMAT_WITHOUT_TOTAL = "{desc}: {n_fmt}, {rate_noinv_fmt}"


class Progress:
    """Show how many texts are answered, how many per second, and the remaining time.

    A bar on a terminal, which disappears at the end; in a log file, a line every half minute.

    Args:
        total: of the texts; None if it is not known, as of standard input.
        done: how many were answered before.
        stream: where to write; standard error by default.
        clock: returns seconds.
    """

    def __init__(
        self,
        total: int | None,
        done: int = 0,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ):
        self._total, self._done, self._start = total, done, done
        self._stream, self._clock = stream or messages.progress_stream(), clock
        self._started = self._last_line = clock()
        self._bar = tqdm(
            total=total,
            initial=done,
            desc="answering",
            unit=" texts",
            bar_format=FORMAT_WITHOUT_TOTAL if total is None else FORMAT,
            dynamic_ncols=True,
            delay=DELAY,
            leave=False,
            file=self._stream,
            disable=not self._stream.isatty(),
        )

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *raised: object) -> None:
        self._bar.close()

    def update(self, count: int) -> None:
        """Report that more texts are answered."""
        self._done += count
        self._bar.update(count)
        now = self._clock()
        if self._bar.disable and now - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = now
            self._stream.write(self._line(now - self._started) + "\n")
            self._stream.flush()

    def _line(self, seconds: float) -> str:
        rate = (self._done - self._start) / seconds
        speed = f"{rate:,.0f} per second" if rate >= 10 else f"{rate:.1f} per second"
        if self._total is None:
            return f"answering: {self._done:,} texts, {speed}"
        left = times.duration((self._total - self._done) / rate)
        return f"answering: {self._done:,} of {self._total:,} texts, {speed}, {left} left"
