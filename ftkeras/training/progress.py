"""The progress bar and the speed of training."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TextIO

import numpy as np
from tqdm import tqdm

from ftkeras.support import bars, messages, times
from ftkeras.training.callback import Callback
from ftkeras.training.protocols import Feed

# Steps to measure before the remaining time is estimated; a quarter of a run with few steps.
MEASURED_STEPS = 10
SECONDS_BETWEEN_LINES = 30
# Reading a metric waits for the step, so it is done only so often.
SECONDS_BETWEEN_READINGS = 0.5
# What a terminal of 80 columns holds; the bar itself takes the columns that are left.
FORMAT = "{desc}{percentage:.0f}%|{bar}| {remaining} left, {rate_noinv_fmt}{postfix}"
COLUMNS_OF_A_FILE = 80


class Progress(Callback):
    """Show a progress bar over the whole run, and measure its speed.

    On a terminal the bar is redrawn; in a log file a line is written every half minute. It shows
    the time left, examples per second, loss, the reported metrics and the learning rate, and fits
    80 columns. After each epoch a line with the metrics stays.

    Speed is measured by the wall clock, from the end of the first step, which traces, to the end of
    the last one, without validation. The clock is read only after a metric of the step was read,
    which waits for devices that run behind.

    Args:
        feed: the training batches.
        epochs: number of epochs of the run.
        reported: the metrics that training reports beside the loss, and their names on the bar.
        stream: where to write; standard error by default.
        advise: called once with the seconds that training will take, when they are estimated; it
            may log lines.

    Attributes:
        first_step: seconds from the start of the process to the end of its first step.
        seconds, examples, tokens, steps: sums over all steps except the first of each process.
        waited: how many of these seconds a step waited for its batch.
    """

    def __init__(
        self,
        feed: Feed,
        *,
        epochs: int,
        reported: Mapping[str, str] = MappingProxyType({}),
        stream: TextIO | None = None,
        advise: Callable[[float], None] = lambda seconds: None,
    ):
        super().__init__()
        self.feed, self.epochs = feed, epochs
        self.reported, self.advise = reported, advise
        self.stream = stream or messages.progress_stream()
        self.is_live = bars.is_live(self.stream)
        self.first_step: float | None = None
        self.seconds, self.examples, self.tokens, self.steps = 0.0, 0, 0, 0
        self.waited = 0.0
        self._is_first, self._unread = True, None

    def state(self) -> dict:
        """Return the state to save in a checkpoint."""
        if self._unread is not None:  # its step is counted, but not its seconds
            self._read_clock(self._unread)
        return {
            "first_step": self.first_step,
            "seconds": self.seconds,
            "examples": self.examples,
            "tokens": self.tokens,
            "steps": self.steps,
            "waited": self.waited,
        }

    def restore_state(self, state: dict) -> None:
        """Resume from what `state` returned."""
        vars(self).update(state)

    def metrics(self) -> dict[str, float | None]:
        """Return the speed, as metrics.json records it."""
        return {
            "seconds_to_first_step": self.first_step,
            "examples_per_second": self.examples / self.seconds if self.seconds else None,
            "tokens_per_second": self.tokens / self.seconds if self.tokens else None,
            "share_waiting_for_data": self.waited / self.seconds if self.seconds else None,
        }

    def on_train_begin(self, logs: Any = None) -> None:
        self.bar = bars.bar(
            self.stream,
            total=self.epochs * len(self.feed.examples),
            unit="",
            bar_format=FORMAT,
            ncols=None if self.is_live else COLUMNS_OF_A_FILE,
            dynamic_ncols=self.is_live,
            mininterval=0.5,
            smoothing=0.1,
            leave=False,
        )
        measured = min(MEASURED_STEPS, max(1, self.epochs * len(self.feed) // 4))
        self._estimate_at: float = self.steps + measured
        self._last_line = time.perf_counter()
        self._last_reading = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch, self._batches = epoch, self.feed.batches(epoch)
        self._describe()
        self._clock = time.perf_counter()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._batch_start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        positions, self._unread = self._batches[batch], logs
        if self._is_first:
            self._start_measuring(batch, logs)
        else:
            self._count_step(batch, positions, logs)
        if batch == len(self._batches) - 1:
            self._read_clock(logs)
        self._show(logs, len(positions))

    @contextlib.contextmanager
    def paused(self, logs: dict[str, Any]) -> Iterator[None]:
        """Show that the model is validated within an epoch, and omit the time from the speed.

        Args:
            logs: of the step that has just ended.
        """
        self._read_clock(logs)
        self.on_test_begin()
        yield
        self._describe()
        self._clock = time.perf_counter()

    def on_test_begin(self, logs: Any = None) -> None:
        self.bar.set_description("validating", refresh=self.is_live)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.report(logs, f"epoch {epoch + 1}/{self.epochs}")

    def report(self, logs: Mapping[str, float], position: str) -> None:
        """Write a line with the metrics of training and validation, as far as there are any.

        Args:
            logs: metrics by name.
            position: when they were measured.
        """
        known = ("loss", *self.reported)
        others = [name for name in logs if name.startswith("val_") and name[4:] not in known]
        shown = " · ".join(
            split + ", ".join(f"{n} {logs[prefix + n]:.4f}" for n in known)
            for split, prefix in (("", ""), ("validation ", "val_"))
            if f"{prefix}loss" in logs
        )
        shown += "".join(f", {name[4:]} {logs[name]:.4f}" for name in others)
        self._write(f"{position} · {shown}")

    def on_train_end(self, logs: Any = None) -> None:
        if self.seconds:
            self._write(f"{self.waited / self.seconds:.1%} of the time was spent waiting for data")
        self.bar.total = self.bar.n  # also if training stopped early
        self.close()

    def close(self) -> None:
        """Remove the bar from the screen."""
        self.bar.close()

    def _describe(self) -> None:
        self.bar.set_description(f"epoch {self._epoch + 1}/{self.epochs}", refresh=False)

    def _start_measuring(self, batch: int, logs: dict[str, Any]) -> None:
        self._is_first, self._unread = False, None
        float(logs["loss"])
        self._clock = time.perf_counter()
        self.first_step = self.first_step or times.process_age()
        before = sum(len(positions) for positions in self._batches[:batch])
        self.bar.n = self._epoch * len(self.feed.examples) + before

    def _count_step(self, batch: int, positions: np.ndarray, logs: dict[str, Any]) -> None:
        self.examples += len(positions)
        self.tokens += self.feed.tokens(positions)
        self.steps += 1
        self.waited += max(0.0, self.feed.ready.get(batch, 0.0) - self._batch_start)
        # Later, if all batches so far were empty: samples of a private run may be.
        if self.steps >= self._estimate_at and self.examples:
            self._estimate_at = math.inf
            self._read_clock(logs)
            self._write_estimate()

    def _read_clock(self, logs: dict[str, Any]) -> None:
        float(logs["loss"])
        now = time.perf_counter()
        self.seconds += now - self._clock
        self._clock, self._unread = now, None

    def _write_estimate(self) -> None:
        left = (self.bar.total - self.bar.n) * self.seconds / self.examples
        tokens = f"{self.tokens / self.seconds:,.0f} tokens/s, " if self.tokens else ""
        self._write(
            f"{tokens}{self.examples / self.seconds:,.1f} examples/s: "
            f"training takes about {times.duration(left)}, without validation"
        )
        with tqdm.external_write_mode(file=self.stream):
            self.advise(left)

    def _show(self, logs: dict[str, Any], examples: int) -> None:
        self.bar.update(examples)
        now = time.perf_counter()
        if now - self._last_reading < SECONDS_BETWEEN_READINGS:
            return
        self._last_reading = now
        learning_rate = float(self.model.optimizer.last_learning_rate())
        names = {"loss": "loss", **self.reported}
        metrics = ", ".join(f"{shown} {float(logs[n]):.4f}" for n, shown in names.items())
        self.bar.set_postfix_str(f"{metrics}, lr {learning_rate:.1e}", refresh=self.is_live)
        if not self.is_live and now - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = now
            self._write_line(str(self.bar))

    def _write(self, line: str) -> None:
        """Write a line that stays, above the bar."""
        if self.is_live:
            self.bar.write(line, file=self.stream)
        else:
            self._write_line(line)

    def _write_line(self, line: str) -> None:
        self.stream.write(f"{line}\n")
        self.stream.flush()
