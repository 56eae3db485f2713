"""Validation metrics that need all predictions of the split at once, such as F1."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from ftkeras.training.callback import Callback
from ftkeras.training.evaluation_progress import EvaluationProgress
from ftkeras.training.protocols import EvaluationFeed
from ftkeras.training.sharding import shard


def predict_in_order(model: keras.Model, feed: EvaluationFeed, *, title: str | None = None) -> Any:
    """Return the logits of every example of a feed, in its order.

    They are float32 [examples, outputs], or what the feed's `in_example_order` returns.

    Args:
        model: predicts logits.
        feed: the examples.
        title: of the progress bar; None for no bar.
    """
    held = shard(model.distribute_strategy, feed.dataset)
    callbacks = []
    if title is not None:
        progress = EvaluationProgress(title, examples=len(feed.examples), steps=held.steps)
        callbacks.append(progress)
    rows = model.predict(held.dataset, steps=held.steps, callbacks=callbacks)
    return feed.in_example_order(rows.astype(np.float32))


class ValidationMetrics(Callback):
    """Add validation metrics to the logs of each epoch, as `val_<name>`.

    It costs another pass over the validation split. Callbacks that read the metrics come after this
    one.

    Args:
        feed: the validation split.
        measure: logits of all its examples, as `predict_in_order` returns them -> metrics by name,
            NaN if they are not finite.
    """

    def __init__(self, feed: EvaluationFeed, measure: Callable[[Any], Mapping[str, float]]):
        super().__init__()
        self.feed, self.measure = feed, measure

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.add_to(logs)

    def add_to(self, logs: dict[str, float]) -> None:
        """Evaluate the model as it is, and add the metrics to the logs of a validation."""
        measured = self.measure(predict_in_order(self.model, self.feed))
        logs.update({f"val_{name}": value for name, value in measured.items()})
