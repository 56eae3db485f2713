import io
import sys
import time

import keras
from tqdm import tqdm

from ftkeras.support import times

# Steps to measure before the time left is foretold, a quarter of a run that has few.
MEASURED_STEPS = 10
SECONDS_BETWEEN_LINES = 30


class Progress(keras.callbacks.Callback):
    """A bar over the whole run, and its speed.

    On a terminal the bar is redrawn; in a log a line stands every half minute. It shows
    loss, accuracy, rate, examples a second and time left; after each epoch a line with the
    validation figures stays.

    Speed is by the wall clock, from the end of the first step, which traces, to the end of the
    last, validation left out. The clock is read only after a figure of the step was, which waits
    for devices that run behind.

    Attributes:
        first_step: seconds from the start of the process to the end of its first step.
        seconds, examples, tokens, steps: of all steps but each process's first one.
        waited: how many of the seconds a step had begun and its batch was not yet there.
    """

    def __init__(self, feed, *, epochs: int, stream=None):
        super().__init__()
        self.feed, self.epochs = feed, epochs
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self.first_step: float | None = None
        self.seconds, self.examples, self.tokens, self.steps = 0.0, 0, 0, 0
        self.waited = 0.0
        self._is_first, self._unread = True, None

    def state(self) -> dict:
        """What a checkpoint keeps of it."""
        if self._unread is not None:  # steps are counted whose seconds are not
            self._read_clock(self._unread)
        names = ("first_step", "seconds", "examples", "tokens", "steps", "waited")
        return {name: getattr(self, name) for name in names}

    def restore_state(self, state: dict) -> None:
        """Goes on from what `state` gave."""
        vars(self).update(state)

    def figures(self) -> dict:
        """What metrics.json says of it."""
        return {
            "seconds_to_first_step": self.first_step,
            "examples_per_second": self.examples / self.seconds if self.seconds else None,
            "tokens_per_second": self.tokens / self.seconds if self.tokens else None,
            "share_waiting_for_data": self.waited / self.seconds if self.seconds else None,
        }

    def on_train_begin(self, logs=None):
        self.bar = tqdm(
            total=self.epochs * len(self.feed.examples),
            unit=" examples",
            dynamic_ncols=self.live,
            mininterval=0.5,
            smoothing=0.1,
            file=self.stream if self.live else io.StringIO(),
            leave=False,
        )
        measured = min(MEASURED_STEPS, max(1, self.epochs * len(self.feed) // 4))
        self._foretold_at = self.steps + measured
        self._shown = time.perf_counter()
        self._last_look = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._plan = epoch, self.feed.batches(epoch)
        self.bar.set_description(f"epoch {epoch + 1}/{self.epochs}", refresh=False)
        self._clock = time.perf_counter()

    def on_train_batch_begin(self, batch, logs=None):
        self._asked = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        positions, self._unread = self._plan[batch], logs
        if self._is_first:
            self._begin(batch, logs)
        else:
            self.examples += len(positions)
            self.tokens += self.feed.tokens(positions)
            self.steps += 1
            self.waited += max(0.0, self.feed.ready.get(batch, 0.0) - self._asked)
            if self.steps == self._foretold_at:
                self._read_clock(logs)
                self._foretell()
        if batch == len(self._plan) - 1:
            self._read_clock(logs)
        self._show(logs, len(positions))

    def _begin(self, batch, logs) -> None:
        self._is_first, self._unread = False, None
        float(logs["loss"])
        self._clock = time.perf_counter()
        self.first_step = self.first_step or times.process_age()
        before = sum(len(positions) for positions in self._plan[:batch])
        self.bar.n = self._epoch * len(self.feed.examples) + before

    def _read_clock(self, logs) -> None:
        float(logs["loss"])
        now = time.perf_counter()
        self.seconds += now - self._clock
        self._clock, self._unread = now, None

    def on_epoch_end(self, epoch, logs=None):
        shown = " · ".join(
            f"{split}loss {logs[prefix + 'loss']:.4f}, accuracy {logs[prefix + 'accuracy']:.4f}"
            for split, prefix in (("", ""), ("validation ", "val_"))
            if f"{prefix}loss" in logs
        )
        self._say(f"epoch {epoch + 1}/{self.epochs} · {shown}")

    def on_train_end(self, logs=None):
        if self.seconds:
            self._say(f"{self.waited / self.seconds:.1%} of the time went by waiting for data")
        self.close()

    def close(self) -> None:
        """Takes the bar off the screen."""
        self.bar.close()

    def _foretell(self) -> None:
        left = (self.bar.total - self.bar.n) * self.seconds / self.examples
        tokens = f"{self.tokens / self.seconds:,.0f} tokens/s, " if self.tokens else ""
        self._say(
            f"{tokens}{self.examples / self.seconds:,.1f} examples/s: "
            f"training takes about {times.duration(left)}, validation aside"
        )

    def _show(self, logs, examples: int) -> None:
        self.bar.update(examples)
        now = time.perf_counter()
        if now - self._last_look < 0.5:  # reading a figure waits for the step, so look seldom
            return
        self._last_look = now
        rate = float(self.model.optimizer.rate_of_last_update())
        figures = f"loss {float(logs['loss']):.4f}, accuracy {float(logs['accuracy']):.4f}"
        self.bar.set_postfix_str(f"{figures}, rate {rate:.2e}", refresh=self.live)
        if not self.live and now - self._shown > SECONDS_BETWEEN_LINES:
            self._shown = now
            self._write_line(str(self.bar))

    def _say(self, line: str) -> None:
        if self.live:
            self.bar.write(line, file=self.stream)
        else:
            self._write_line(line)

    def _write_line(self, line: str) -> None:
        self.stream.write(f"{line}\n")
        self.stream.flush()
