import re

import keras
import tensorflow as tf


class FineTuningOptimizer(keras.optimizers.Optimizer):
    """What every optimizer here does before its own step.

    - Gradients are summed over replicas, then clipped by one norm over all variables:
      g <- g * min(1, clip_norm / ||g||). Keras clips each replica's share before the sum, which is
      another norm. Rows of an embedding looked up twice are added up before the norm is taken.
    - Decay is decoupled and taken at the step's own rate, w <- w - rate * decay * w, from variables
      whose path does not match `no_decay` (Keras matches names, which spares nothing: keras#16201).
      Source: Loshchilov and Hutter, 2019, https://arxiv.org/abs/1711.05101.

    A subclass gives `prepare`, the scalars of a step that all variables share, and `update_step`.

    Args:
        learning_rate: a schedule, or a positive number.
        clip_norm: bound on the global norm; 0 for none.
        decay: weight decay; at least 0.
        no_decay: regular expression on variable paths that are left out of the decay.
    """

    def __init__(
        self,
        *,
        learning_rate,
        clip_norm: float = 1.0,
        decay: float = 0.0,
        no_decay: str = r"bias|norm",
        **kwargs,
    ):
        if clip_norm < 0:
            raise ValueError(f"`clip_norm` must be at least 0. Received: {clip_norm}.")
        if not 0 <= decay < 1:
            raise ValueError(f"`decay` must be at least 0 and below 1. Received: {decay}.")
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.clip_norm, self.decay, self.no_decay = clip_norm, decay, no_decay

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        pattern = re.compile(self.no_decay)
        self.decayed = [not pattern.search(variable.path) for variable in variables]

    def prepare(self, rate):
        """The scalars of this step that all variables share."""
        return {"rate": rate}

    def rate_of_last_update(self):
        """The learning rate that the latest update was made with, a scalar ()."""
        schedule = self._learning_rate
        if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
            return self.learning_rate
        return schedule(tf.maximum(self.iterations.value - 1, 0))

    def shrink(self, variable, rate):
        """Takes this step's weight decay from a variable, where it decays."""
        if self.decay and self.decayed[self._get_variable_index(variable)]:
            variable.assign_sub(variable * (rate * self.decay))

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        variables = [variable.value for variable in trainable_variables]
        dense = [tf.convert_to_tensor(grad) for grad in grads]
        pairs = self._all_reduce_sum_gradients(list(zip(dense, variables, strict=True)))
        grads = [grad for grad, _ in pairs]
        if self.clip_norm:
            grads, _ = tf.clip_by_global_norm(grads, self.clip_norm)
        tf.__internal__.distribute.interim.maybe_merge_call(
            self._update_all,
            self._distribution_strategy,
            list(zip(grads, variables, strict=True)),
            self.prepare(learning_rate),
        )

    def _update_all(self, distribution, pairs, scalars):
        def update(variable, grad, scalars):
            self.update_step(grad, variable, scalars)

        for grad, variable in pairs:
            distribution.extended.update(variable, update, args=(grad, scalars), group=False)

    def get_config(self):
        own = {key: getattr(self, key) for key in ("clip_norm", "decay", "no_decay")}
        inherited = super().get_config()
        replaced = ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue")
        return {**{k: v for k, v in inherited.items() if k not in replaced}, **own}
