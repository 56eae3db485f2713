"""Show the progress of a search while it runs: a line for each ended trial, and a status line."""

import contextlib
import statistics
import threading
import time
from collections.abc import Iterator
from typing import TextIO

from ftkeras.search import results, table
from ftkeras.search.ledger import Ledger
from ftkeras.support import messages, times

SECONDS_BETWEEN_UPDATES = 1.0


class Live:
    """Shows a search's progress on a stream.

    On a terminal the status line is updated in place. Otherwise, as in a log file, it is written
    after each trial.

    Args:
        ledger: the search's; trials that ended before are not shown.
        objective: the metric by which trials are compared.
        stream: where to write; None for standard error.
    """

    def __init__(self, ledger: Ledger, objective: str, *, stream: TextIO | None = None):
        self.ledger, self.objective, self.stream = (
            ledger,
            objective,
            stream or messages.progress_stream(),
        )
        self._shown = set(ledger.results)
        self._started: dict[str, float] = {}  # when each running trial started
        self._durations: list[float] = []
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def updating(self) -> Iterator[None]:
        """Update the status line, and record the search's time, until the context ends."""
        self._started = dict.fromkeys(self.ledger.running, time.monotonic())
        over = threading.Event()
        updates = threading.Thread(target=self._update, args=(over,), daemon=True)
        updates.start()
        try:
            yield
        finally:
            over.set()
            updates.join()
            self._replace_status("")

    def show_changes(self) -> None:
        """Show the trials that have ended since the last call, and time those that have started."""
        now = time.monotonic()
        with self._lock:
            for trial in self.ledger.running:
                self._started.setdefault(trial, now)
            for trial in [trial for trial in self.ledger.results if trial not in self._shown]:
                self._shown.add(trial)
                if trial in self._started:
                    self._durations.append(now - self._started.pop(trial))
                self._replace_status("")
                self.stream.write(table.line(self.ledger.results[trial], self.objective) + "\n")
                if not self.stream.isatty():
                    self.stream.write(f"  {self.status()}\n")
                self.stream.flush()

    def status(self) -> str:
        """Return the number of trials, the best so far, and the time left."""
        ledger = self.ledger
        total = "" if ledger.most_trials is None else f" of {ledger.most_trials}"
        parts = [f"trial {ledger.started}{total}"]
        if best := results.best(ledger.results.values(), self.objective):
            parts.append(f"best {self.objective} {best.score:.4f} (trial {best.trial})")
        seconds = self._seconds_left()
        if seconds:
            parts.append(f"about {times.duration(seconds)} left")
        return " · ".join(parts)

    def _seconds_left(self) -> float | None:
        """Estimate the time until the last trial ends, by the median duration in this session."""
        ledger = self.ledger
        if not self._durations or ledger.most_trials is None:
            return None
        each, now = statistics.median(self._durations), time.monotonic()
        running = [max(0.0, each - (now - start)) for start in self._started.values()]
        waiting = max(0, ledger.most_trials - ledger.started)
        seconds = (sum(running) + each * waiting) / max(1, len(running))
        if ledger.max_seconds is not None:
            seconds = min(seconds, max(0.0, ledger.max_seconds - ledger.seconds) + each)
        return seconds

    def _update(self, over: threading.Event) -> None:
        while not over.wait(SECONDS_BETWEEN_UPDATES):
            self.ledger.record_time()
            with self._lock:
                self._replace_status(self.status())

    def _replace_status(self, line: str) -> None:
        if self.stream.isatty():
            self.stream.write(f"\r\x1b[K{line}")
            self.stream.flush()
