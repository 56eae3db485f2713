"""Correct `fit`, `evaluate` and `predict`, above all under distribution strategies.

Keras 3.15 has three faults:
- Under MultiWorkerMirroredStrategy, `fit` fails (keras#20585).
- The metrics of a step are the mean of the replicas' means, which is wrong if their parts of a
  batch differ in size.
- `predict` traces the network for up to three shapes of a batch, because it takes the batches out
  of the dataset, whose element_spec would tell that they differ. Under a strategy, it traces each
  shape, and returns the outputs of a worker's replicas out of order.

tests/strategies/test_equality.py fails once the first is fixed; then check what can be removed.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
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

    def make_predict_function(self, force: bool = False) -> Callable:
        """Return a function that takes an iterator, and returns the outputs of its next element."""
        if self.predict_function is not None and not force:
            return self.predict_function
        run = self.predict_step
        if self.jit_compile and not self.run_eagerly:
            run = self._traced(run, jit_compile=True)

        def step(iterator):
            if not self.has_strategy:
                return run(iterator.get_next())
            outputs = self.distribute_strategy.run(run, args=(iterator.get_next(),))
            return self.distribute_strategy.gather(outputs, axis=0)

        self.predict_function = self._traced(step)
        return self.predict_function

    def predict(
        self, x: Iterable, *, steps: int, callbacks: Sequence[keras.callbacks.Callback] = ()
    ) -> np.ndarray:
        """Return the outputs of `steps` elements, [rows, …], with the replicas in order."""
        followers = keras.callbacks.CallbackList(callbacks, model=self, steps=steps, epochs=1)
        predict_next, iterator, outputs = self.make_predict_function(), iter(x), []
        followers.on_predict_begin()
        for step in range(steps):
            followers.on_predict_batch_begin(step)
            outputs.append(predict_next(iterator).numpy())
            followers.on_predict_batch_end(step)
        followers.on_predict_end()
        return np.concatenate(outputs)

    def _traced(self, function: Callable, **options: Any) -> Callable:
        if self.run_eagerly:
            return function
        return tf.function(function, reduce_retracing=True, autograph=False, **options)
