"""`model.fit` over epochs that are each a dataset of its own, so that a run can begin anywhere."""

import functools
from collections.abc import Sequence

import keras

from ftkeras.training.sharding import shard


class Run(keras.callbacks.CallbackList):
    """The callbacks of one run, which begins and ends once, however often `fit` is called.

    `start` is the place in the epoch of the first batch that `fit` is given next.
    """

    start = 0

    def begin(self) -> None:
        super().on_train_begin()

    def end(self) -> None:
        super().on_train_end()

    def on_train_begin(self, logs=None):
        """Nothing: `begin` says it."""

    def on_train_end(self, logs=None):
        """Nothing: `end` says it."""

    def on_train_batch_begin(self, batch, logs=None):
        super().on_train_batch_begin(self.start + batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(self.start + batch, logs)


def fit(
    model: keras.Model,
    feed,
    *,
    epochs: int,
    callbacks: Sequence[keras.callbacks.Callback],
    validation: object = None,
    epoch: int = 0,
    start: int = 0,
) -> None:
    """Trains from batch `start` of `epoch` to the end of the last of `epochs`, or until stopped.

    Args:
        model: compiled.
        feed: gives each replica's dataset of an epoch, `dataset(epoch, start=…, replica=…,
            replicas=…)`, and how many batches it has.
        epochs: of the whole run.
        callbacks: Keras's; batches are counted from the epoch's beginning, wherever it is begun.
        validation: gives each replica's `dataset(replica=…, replicas=…)`, which is measured after
            each epoch; or None.
        epoch, start: where to begin, both from 0.
    """
    run = Run(callbacks, add_history=True, model=model, epochs=epochs, steps=len(feed))
    model.stop_training = False
    run.begin()
    for number in range(epoch, epochs):
        run.start = start if number == epoch else 0
        of_epoch = functools.partial(feed.dataset, number, start=run.start)
        train = shard(model.distribute_strategy, of_epoch)
        held = validation and shard(model.distribute_strategy, validation.dataset)
        if train.steps == 0:  # it was stopped when its last batch was done
            _end_epoch(model, run, number, held)
            continue
        model.fit(
            train.dataset,
            steps_per_epoch=train.steps,
            validation_data=held and held.dataset,
            validation_steps=held and held.steps,
            initial_epoch=number,
            epochs=number + 1,
            shuffle=False,  # the feed has its own order
            verbose=0,
            callbacks=run,
        )
        if model.stop_training:
            break
    run.end()


def _end_epoch(model, run, number, held):
    """Does what `fit` does when an epoch's batches are all done."""
    run.on_epoch_begin(number)
    logs = dict(model.get_metrics_result())
    if held:
        options = {"steps": held.steps, "callbacks": run, "verbose": 0, "return_dict": True}
        measured = model.evaluate(held.dataset, **options)
        logs |= {f"val_{name}": figure for name, figure in measured.items()}
    run.on_epoch_end(number, logs)
