"""The progress bar of an evaluation."""

from typing import Any, TextIO

import keras

from ftkeras.support.progress import Progress


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
        self.stream = stream

    def on_predict_begin(self, logs: Any = None) -> None:
        self.progress = Progress(self.title, self.examples, self._line, stream=self.stream)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        done = self.examples * (batch + 1) // self.steps
        self.progress.update(done - self.progress.done)

    def on_predict_end(self, logs: Any = None) -> None:
        self.progress.close()

    def _line(self, done: int, seconds: float) -> str:
        return f"{self.title}: {done:,} of {self.examples:,} examples"
