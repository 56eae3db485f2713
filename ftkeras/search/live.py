"""What a search says while it runs: a line a trial that has ended, and one that lives."""

import contextlib
import statistics
import sys
import threading
import time
from collections.abc import Iterator

from ftkeras.search import results, table
from ftkeras.search.ledger import Ledger
from ftkeras.support import times

SECONDS_BETWEEN = 1.0


class Live:
    """Tells of a search's trials; where it stands is a line that lives, in a log one a trial.

    Args:
        ledger: the search's, whose earlier trials were told of already.
        objective: accuracy or loss.
        stream: where to.
    """

    def __init__(self, ledger: Ledger, objective: str, *, stream=None):
        self.ledger, self.objective, self.stream = ledger, objective, stream or sys.stderr
        self._told = set(ledger.results)
        self._began: dict[str, float] = {}
        self._took: list[float] = []
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Tells of the search meanwhile, and has it keep its time."""
        self._began = dict.fromkeys(self.ledger.running, time.monotonic())
        over = threading.Event()
        ticking = threading.Thread(target=self._tick, args=(over,), daemon=True)
        ticking.start()
        try:
            yield
        finally:
            over.set()
            ticking.join()
            self._draw("")

    def changed(self) -> None:
        """Tells of trials that have begun or ended since."""
        now = time.monotonic()
        with self._lock:
            for trial in self.ledger.running:
                self._began.setdefault(trial, now)
            for trial in [t for t in self.ledger.results if t not in self._told]:
                self._told.add(trial)
                if trial in self._began:
                    self._took.append(now - self._began.pop(trial))
                self._draw("")
                line = table.line(self.ledger.results[trial], self.objective)
                print(line, file=self.stream, flush=True)
                if not self.stream.isatty():
                    print(f"  {self.line()}", file=self.stream, flush=True)

    def line(self) -> str:
        """Trial, best so far, time left."""
        ledger = self.ledger
        of = "" if ledger.max_trials is None else f" of {ledger.max_trials}"
        parts = [f"trial {ledger.begun}{of}"]
        if best := results.best(ledger.results.values(), self.objective):
            parts.append(f"best {self.objective} {best.score:.4f} (trial {best.trial})")
        left = self._left()
        parts.append(f"about {times.duration(left)} left" if left is not None else "")
        return " · ".join(filter(None, parts))

    def _left(self) -> float | None:
        """Seconds until the last trial ends, by the median of those that this session has run."""
        ledger = self.ledger
        if not self._took or ledger.max_trials is None:
            return None
        each, now = statistics.median(self._took), time.monotonic()
        under_way = [max(0.0, each - (now - begun)) for begun in self._began.values()]
        to_begin = max(0, ledger.max_trials - ledger.begun)
        left = (sum(under_way) + each * to_begin) / max(1, len(under_way))
        if ledger.max_seconds is not None:
            left = min(left, max(0.0, ledger.max_seconds - ledger.seconds) + each)
        return left

    def _tick(self, over: threading.Event) -> None:
        while not over.wait(SECONDS_BETWEEN):
            self.ledger.keep_time()
            with self._lock:
                self._draw(self.line())

    def _draw(self, line: str) -> None:
        if self.stream.isatty():
            self.stream.write(f"\r\x1b[K{line}")
            self.stream.flush()
