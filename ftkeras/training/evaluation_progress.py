"""The progress bar of an evaluation."""

import time
from typing import Any, TextIO

import keras
from tqdm import tqdm

from ftkeras.support import messages

SECONDS_BETWEEN_LINES, SECONDS_BETWEEN_REDRAWINGS = 30, 0.5
DELAY = 1  # seconds without a bar, so that a short evaluation stays quiet
FORMAT = "{desc}: {percentage:.0f}%|{bar}| {remaining} left, {rate_noinv_fmt}"


class EvaluationProgress(keras.callbacks.Callback):
    """Show how far `Model.predict` has come.

    A bar on a terminal, which disappears at the end; in a log file, a line every half minute.

    Args:
        title: what is done, such as "evaluating test".
        examples: number of examples.
        steps: number of batches, which hold about the same number of examples.
        stream: where to write; standard error by default.
    """

    def __init__(self, title: str, *, examples: int, steps: int, stream: TextIO | None = None):
        super().__init__()
        self.title, self.examples, self.steps = title, examples, steps
        self.stream = stream or messages.progress_stream()

    def on_predict_begin(self, logs: Any = None) -> None:
        self._last_line = time.perf_counter()
        self.bar = tqdm(
            total=self.examples,
            desc=self.title,
            unit="",
            bar_format=FORMAT,
            dynamic_ncols=True,
            mininterval=SECONDS_BETWEEN_REDRAWINGS,
            delay=DELAY,
            leave=False,
            file=self.stream,
            disable=not self.stream.isatty(),
        )

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        done = self.examples * (batch + 1) // self.steps
        if not self.bar.disable:
            self.bar.update(done - self.bar.n)
        elif time.perf_counter() - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = time.perf_counter()
            self.stream.write(f"{self.title}: {done:,} of {self.examples:,} examples\n")
            self.stream.flush()

    def on_predict_end(self, logs: Any = None) -> None:
        self.bar.close()
