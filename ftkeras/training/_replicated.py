"""`fit`, `evaluate` and `predict` on many replicas and workers, which Keras 3.15 has wrong.

- keras#20585: under MultiWorkerMirroredStrategy, `Model._maybe_symbolic_build` is handed a
  PerReplica, and `reduce_per_replica` reduces scalars over an axis that they have not.
- What a step reports is the mean of the replicas' means, which is off where their parts of a batch
  differ in size; and a worker's replicas come out of `predict` out of order.

tests/strategies/test_equality.py fails once the first is mended; then look what can go.
"""

import keras
import tensorflow as tf


class ReplicatedModel(keras.Model):
    """A model all of whose metrics are its own and all of whose weights are made before `fit`."""

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        strategy, optimizer = self._distribute_strategy, self.optimizer
        if strategy is not None and optimizer is not None and not optimizer.built:
            with strategy.scope():
                optimizer.build(self.trainable_variables)

    def _make_function(self, step_function):
        if self._distribute_strategy is None:
            return super()._make_function(step_function)
        run = self._traced(step_function, jit_compile=True) if self.jit_compile else step_function

        def step(iterator):
            self.distribute_strategy.run(run, args=(iterator.get_next(),))
            with self.distribute_strategy.scope():
                return self.get_metrics_result()  # of sums over all replicas

        return self._traced(step)

    def make_predict_function(self, force=False):
        if self._distribute_strategy is None:
            super().make_predict_function(force)
            return

        def step(data):
            outputs = self.distribute_strategy.run(self.predict_step, args=(data[0],))
            return self.distribute_strategy.gather(outputs, axis=0)

        self.predict_function = self._traced(step)

    def _traced(self, function, **options):
        if self.run_eagerly:
            return function
        return tf.function(function, reduce_retracing=True, autograph=False, **options)
