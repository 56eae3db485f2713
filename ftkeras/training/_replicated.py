"""Correct `fit`, `evaluate` and `predict` under distribution strategies.

Keras 3.15 has three faults there:
- Under MultiWorkerMirroredStrategy, `fit` fails (keras#20585).
- The metrics of a step are the mean of the replicas' means, which is wrong if their parts of a
  batch differ in size.
- `predict` returns the outputs of a worker's replicas out of order, and traces each of their
  shapes again.

tests/strategies/test_equality.py fails once the first is fixed; then check what can be removed.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from ftkeras.support import keras_compat


class ReplicatedModel(keras_compat.Model):
    """A model that owns all its metrics, and whose weights all exist before `fit`."""

    def build_before_run(self) -> None:
        if self.optimizer is not None and not self.optimizer.built:
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)

    def distributed_function(self, step_function: Callable) -> Callable:
        run = self._traced(step_function, jit_compile=True) if self.jit_compile else step_function

        def step(iterator):
            self.distribute_strategy.run(run, args=(iterator.get_next(),))
            with self.distribute_strategy.scope():
                return self.get_metrics_result()  # of sums over all replicas

        return self._traced(step)

    def predict(self, x: Iterable, *, steps: Any = None, **options: Any) -> np.ndarray:
        """Return the outputs of `steps` elements, [rows, …], with the replicas in order."""
        if not self.has_strategy:
            return super().predict(x, steps=steps, **options)

        def step(iterator):
            outputs = self.distribute_strategy.run(self.predict_step, args=(iterator.get_next(),))
            return self.distribute_strategy.gather(outputs, axis=0)

        traced, iterator = self._traced(step), iter(x)
        return np.concatenate([traced(iterator).numpy() for _ in range(steps)])

    def _traced(self, function: Callable, **options: Any) -> Callable:
        if self.run_eagerly:
            return function
        return tf.function(function, reduce_retracing=True, autograph=False, **options)
