"""Exponential moving average of the weights."""

from typing import Any

import tensorflow as tf

from ftkeras.averages._base import WeightAverage
from ftkeras.support import bounds


class Ema(WeightAverage):
    """Average the weights exponentially, after each optimizer update.

    average <- d average + (1 - d) weights,     d = min(decay, (1 + n) / (10 + n)), n updates made

    The average starts at the initial weights. With `warmup=False`, d is `decay` from the start; a
    run much shorter than 1 / (1 - decay) updates then hardly moves the average.

    Sources: Polyak and Juditsky, 1992, https://doi.org/10.1137/0330046; the form with a warm-up:
    https://www.tensorflow.org/api_docs/python/tf/train/ExponentialMovingAverage.

    Args:
        decay: share of the old average that is kept; at least 0, below 1.
        warmup: whether this share is smaller at first.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> Ema(decay=0.99).warmup
    True
    """

    def __init__(self, *, decay: float = 0.999, warmup: bool = True):
        bounds.share(decay=decay)
        bounds.boolean(warmup=warmup)
        super().__init__()
        self.decay, self.warmup = decay, warmup

    def share(self, count: Any) -> Any:
        if not self.warmup:
            return tf.constant(1 - self.decay)
        return tf.maximum(1 - self.decay, 9 / (10 + count))

    def on_train_begin(self, logs: Any = None) -> None:
        steps = getattr(self.model, "steps_per_execution", 1)
        if steps != 1:
            raise ValueError(
                "`steps_per_execution` must be 1 for an average after each update. Received: "
                f"{steps}."
            )
        super().on_train_begin(logs)
        self._updates = self._count_updates()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        updates = self._count_updates()
        if updates is None or updates != self._updates:
            self.take_sample()
        self._updates = updates

    def _count_updates(self) -> int | None:
        """Return the updates of an optimizer of Keras that does not update in each step."""
        optimizer = self.model.optimizer
        # In float16, Keras wraps it, and the wrapper counts each step.
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        accumulates = getattr(optimizer, "gradient_accumulation_steps", None)
        return int(optimizer.iterations) if accumulates else None
