"""Run `model.fit` epoch by epoch, each with its own dataset, so that a run can resume anywhere."""

import functools
from collections.abc import Sequence
from typing import Any

import keras

from ftkeras.training.protocols import EvaluationFeed, Feed
from ftkeras.training.sharding import Sharded, shard


class Run(keras.callbacks.CallbackList):
    """The callbacks of one run, which begins and ends once, however often `fit` is called.

    Attributes:
        start: position in the epoch of the first batch of the next `fit`.
    """

    start = 0

    def begin(self) -> None:
        """Tell the callbacks that training begins."""
        super().on_train_begin()

    def end(self) -> None:
        """Tell the callbacks that training has ended."""
        super().on_train_end()

    def on_train_begin(self, logs: Any = None) -> None:
        """Do nothing: `begin` tells the callbacks."""

    def on_train_end(self, logs: Any = None) -> None:
        """Do nothing: `end` tells the callbacks."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        super().on_train_batch_begin(self.start + batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        super().on_train_batch_end(self.start + batch, logs)


def fit(
    model: keras.Model,
    feed: Feed,
    *,
    epochs: int,
    callbacks: Sequence[keras.callbacks.Callback],
    validation: EvaluationFeed | None = None,
    epoch: int = 0,
    start: int = 0,
) -> None:
    """Train from batch `start` of `epoch` to the end of the last epoch, or until stopped.

    Args:
        model: a compiled model.
        feed: the training batches.
        epochs: number of epochs of the whole run.
        callbacks: Keras callbacks. Their batch numbers count from the beginning of the epoch, also
            if the run resumes within it.
        validation: evaluated after each epoch, if given.
        epoch: the epoch to start in, from 0.
        start: the batch of that epoch to start with, from 0.
    """
    run = Run(list(callbacks), add_history=True, model=model, epochs=epochs, steps=len(feed))
    model.stop_training = False
    run.begin()
    for number in range(epoch, epochs):
        run.start = start if number == epoch else 0
        _fit_epoch(model, run, feed, validation, number)
        if model.stop_training:
            break
    run.end()


def _fit_epoch(
    model: keras.Model, run: Run, feed: Feed, validation: EvaluationFeed | None, number: int
) -> None:
    make_dataset = functools.partial(feed.dataset, number, start=run.start)
    train = shard(model.distribute_strategy, make_dataset)
    held_out = shard(model.distribute_strategy, validation.dataset) if validation else None
    if train.steps == 0:  # the run was interrupted after the epoch's last batch
        _end_epoch(model, run, number, held_out)
        return
    verbose: Any = 0
    model.fit(
        train.dataset,
        steps_per_epoch=train.steps,
        validation_data=held_out and held_out.dataset,
        validation_steps=held_out and held_out.steps,
        initial_epoch=number,
        epochs=number + 1,
        shuffle=False,  # the feed has its own order
        verbose=verbose,
        callbacks=run,
    )


def _end_epoch(model: keras.Model, run: Run, number: int, held_out: Sharded | None) -> None:
    """Do what `fit` does after an epoch's last batch."""
    run.on_epoch_begin(number)
    logs = dict(model.get_metrics_result())
    if held_out:
        options = {"steps": held_out.steps, "callbacks": run, "verbose": 0, "return_dict": True}
        metrics = model.evaluate(held_out.dataset, **options)
        logs |= {f"val_{name}": value for name, value in metrics.items()}
    run.on_epoch_end(number, logs)
