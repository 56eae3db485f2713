"""Validation within an epoch, for epochs that take long."""

import contextlib
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from ftkeras.training.best import BestEpoch
from ftkeras.training.callback import Callback
from ftkeras.training.history import write_table
from ftkeras.training.progress import Progress
from ftkeras.training.protocols import EvaluationFeed, Feed, SwapsWeights
from ftkeras.training.sharding import Sharded, shard
from ftkeras.training.tracking import Tracking
from ftkeras.training.validation import ValidationMetrics


class WithinEpoch(Callback):
    """Validate the model every so many updates of an epoch, except at its end.

    The metrics are written into a table, shown, and tracked; and if they are the best so far, the
    weights are kept. Training goes on as if nothing had happened: its metrics continue.

    It comes after all callbacks that it is given, and after averages of weights.

    Args:
        validation: the validation split.
        training: the training batches.
        every: updates between two validations; positive.
        metrics: further metrics, beside those that the model reports.
        averages: what is validated instead of the trained weights, as after an epoch.
        best: keeps the weights of the best validation.
        progress: shows the metrics.
        tracking: records them.
        path: the table; None to keep the rows in memory only.
    """

    def __init__(
        self,
        validation: EvaluationFeed,
        training: Feed,
        *,
        every: int,
        metrics: Sequence[ValidationMetrics],
        averages: Sequence[SwapsWeights],
        best: BestEpoch,
        progress: Progress,
        tracking: Tracking,
        path: pathlib.Path | None,
    ):
        super().__init__()
        self.validation, self.training, self.every = validation, training, every
        self.metrics, self.averages, self.best = metrics, averages, best
        self.progress, self.tracking, self.path = progress, tracking, path
        self.rows: list[dict] = []
        self._sharded: Sharded | None = None

    def state(self) -> dict:
        """Return the state to save in a checkpoint."""
        return {"rows": self.rows}

    def restore_state(self, state: dict) -> None:
        """Resume from what `state` returned."""
        self.rows = state["rows"]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        step = batch + 1
        if step % self.every or step == len(self.training):
            return
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.progress.paused(logs))
            stack.enter_context(metrics_kept(self.model))
            for average in self.averages:
                stack.enter_context(average.average_weights())
            measured = self._validate()
            self.best.offer(measured, epoch=self._epoch, step=step)
        self.rows.append({"epoch": self._epoch + 1, "step": step, **measured})
        if self.path is not None:
            write_table(self.path, self.rows)
        position = f"epoch {self._epoch + 1}/{self.progress.epochs}, step {step}"
        self.progress.report(measured, position)
        self.tracking.log(measured, self.tracking.step(step))

    def _validate(self) -> dict[str, float]:
        """Return the validation metrics of the model as it is."""
        if self._sharded is None:
            self._sharded = shard(self.model.distribute_strategy, self.validation.dataset)
        measured = self.model.evaluate(
            self._sharded.dataset, steps=self._sharded.steps, verbose=0, return_dict=True
        )
        logs = {f"val_{name}": float(value) for name, value in measured.items()}
        for metric in self.metrics:
            metric.add_to(logs)
        return logs


@contextlib.contextmanager
def metrics_kept(model: keras.Model) -> Iterator[None]:
    """Restore the metrics of training at the end, because an evaluation uses the same variables."""
    kept = [(variable, np.asarray(variable.numpy())) for variable in model.metrics_variables]
    yield
    for variable, value in kept:
        variable.assign(value)
