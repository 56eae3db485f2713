"""`fit`, `evaluate` and `predict` on many replicas and workers, which Keras 3.15 has wrong.

- keras#20585: under MultiWorkerMirroredStrategy, `Model._maybe_symbolic_build` is handed a
  PerReplica, and `reduce_per_replica` reduces scalars over an axis that they have not.
- What a step reports is the mean of the replicas' means, which is off where their parts of a batch
  differ in size; a worker's replicas come out of `predict` out of order, and each shape of theirs
  is traced anew.

tests/strategies/test_equality.py fails once the first is mended; then look what can go.
"""

import keras
import numpy as np
import tensorflow as tf


class ReplicatedModel(keras.Model):
    """A model all of whose metrics are its own and all of whose weights are made before `fit`."""

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        if self.optimizer is not None and not self.optimizer.built:
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)

    def _make_function(self, step_function):
        if self._distribute_strategy is None:
            return super()._make_function(step_function)
        run = self._traced(step_function, jit_compile=True) if self.jit_compile else step_function

        def step(iterator):
            self.distribute_strategy.run(run, args=(iterator.get_next(),))
            with self.distribute_strategy.scope():
                return self.get_metrics_result()  # of sums over all replicas

        return self._traced(step)

    def predict(self, x, *, steps=None, **options):
        """Outputs of `steps` elements, [rows, …]: of each step, the replicas' in their order."""
        if self._distribute_strategy is None:
            return super().predict(x, steps=steps, **options)

        def step(iterator):
            outputs = self.distribute_strategy.run(self.predict_step, args=(iterator.get_next(),))
            return self.distribute_strategy.gather(outputs, axis=0)

        traced, iterator = self._traced(step), iter(x)
        return np.concatenate([traced(iterator).numpy() for _ in range(steps)])

    def _traced(self, function, **options):
        if self.run_eagerly:
            return function
        return tf.function(function, reduce_retracing=True, autograph=False, **options)
