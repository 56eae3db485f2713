"""The base class of averages of weights."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

log = logging.getLogger(__name__)
# Integers of as many bytes as numbers that are trained.
INTEGERS = {2: tf.int16, 4: tf.int32, 8: tf.int64}


class WeightAverage(keras.callbacks.Callback):
    """Average the trainable weights, and put the average into the model for validation.

    average <- average + share(n) * (weights - average)          at the n-th sample, n from 1

    The model holds the average from the start of validation until the next epoch begins. So any
    callback that reads the weights in `on_epoch_end`, such as BestEpoch, sees the weights that were
    validated, whatever the order of the callbacks. Training continues with the weights themselves.
    After the last epoch the average stays in the model. Another `fit` continues with the weights,
    unless others were loaded in between, or the last `fit` was interrupted within an epoch: then it
    starts a new average of the model's weights. A callback that changes which variables are
    trainable in `on_epoch_begin` must come before this one.

    A subclass implements `share` and calls `take_sample`.
    """

    model: Any

    def __init__(self):
        super().__init__()
        self._built_for: keras.Model | None = None
        self._forget()

    def _forget(self) -> None:
        self.averaged: list[keras.Variable] = []
        self.shadows: list[keras.Variable] = []
        self.count: Any = None
        self.is_swapped = self._is_in_epoch = False
        self._left: list[int] = []  # a digest of the average that was put into the model

    def share(self, count: Any) -> Any:
        """Return the weight of the newest of `count` samples, float32 scalar ()."""
        raise NotImplementedError

    def on_epoch_trained(self) -> None:
        """Run after an epoch's last update, before validation. Does nothing by default."""

    @property
    def variables(self) -> list[keras.Variable]:
        """Return the state: the number of samples and, once built, the average."""
        return [self.count, *self.shadows]

    def build(self, model: keras.Model) -> None:
        """Create variables for all trainable weights that have none yet. Runs in each epoch.

        A weight that was frozen so far was constant, so its average is its present value.

        Raises:
            ValueError: if the model has no variables yet.
        """
        if not (model.built or model.trainable_variables):
            raise ValueError(
                f"the average needs the variables of {model.name!r} before training begins: start "
                "the model with a keras.Input, or call it once. Received: a model without any."
            )
        self._built_for = model
        known = {id(variable) for variable in self.averaged}
        fresh = [v for v in model.trainable_variables if id(v) not in known]
        self._strategy = model.distribute_strategy
        with self._strategy.scope():
            if self.count is None:
                self.count = keras.Variable(0, dtype="int64", trainable=False, name="count")
            self.shadows += [_copy(variable) for variable in fresh]
        self.averaged += fresh
        if fresh:  # one call for all variables, traced once
            self._sample, self._swap = tf.function(self._sample_all), tf.function(self._swap_all)
            self._digest = tf.function(self._digest_all)

    def take_sample(self) -> None:
        """Add the present weights to the average."""
        self._sample()

    def swap_in(self) -> None:
        """Put the average into the model and set the weights aside, if there is a sample."""
        if not self.is_swapped and int(self.count.numpy()):
            self._swap()
            self.is_swapped, self._left = True, self._digest().numpy().tolist()

    def swap_out(self) -> None:
        """Put the weights back into the model."""
        if self.is_swapped:
            self._swap()
            self.is_swapped = False

    @contextlib.contextmanager
    def raw_weights(self) -> Iterator[None]:
        """Hold the trained weights in the model, and the average in `variables`."""
        swapped = self.is_swapped
        self.swap_out()
        try:
            yield
        finally:
            if swapped:
                self.swap_in()

    @contextlib.contextmanager
    def average_weights(self) -> Iterator[None]:
        """Hold the average in the model within an epoch, if there is a sample."""
        self.swap_in()
        try:
            yield
        finally:
            self.swap_out()

    def on_train_begin(self, logs: Any = None) -> None:
        if self._built_for not in (None, self.model):
            self._forget()  # the average of another model stays in that one
        elif self.is_swapped and self._digest().numpy().tolist() != self._left:
            log.warning("the weights were changed since the last fit, so their average starts anew")
            self._forget()
        elif self._is_in_epoch and int(self.count.numpy()):  # others may have been loaded since
            log.warning("the last fit was interrupted, so the average of weights starts anew")
            self._forget()
        self.build(self.model)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.swap_out()
        self.build(self.model)
        self._is_in_epoch = True

    def on_test_begin(self, logs: Any = None) -> None:
        self._end_training()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._end_training()

    def _end_training(self) -> None:
        if self.count is not None and not self.is_swapped:  # or nothing was trained yet
            self.on_epoch_trained()
            self.swap_in()
            self._is_in_epoch = False

    def _sample_all(self) -> None:
        def blend(shadow, variable, share):
            shadow.assign_add((variable - shadow) * tf.cast(share, shadow.dtype))

        self.count.assign_add(1)
        self._update_each(blend, self.share(tf.cast(self.count.value, tf.float32)))

    def _swap_all(self) -> None:
        def swap(shadow, variable):
            weight = tf.identity(variable)
            variable.assign(shadow)
            shadow.assign(weight)

        self._update_each(swap)

    def _digest_all(self) -> Any:
        """Return integers that differ if the weights do, whatever the order of summation."""
        return tf.stack([_sum_of_bits(variable) for variable in self.averaged])

    def _update_each(self, update: Callable, *scalars: Any) -> None:
        with self._strategy.scope():
            for shadow, variable in zip(self.shadows, self.averaged, strict=True):
                self._strategy.extended.update(
                    shadow.value, update, args=(variable.value, *scalars), group=False
                )


def _sum_of_bits(variable: keras.Variable) -> Any:
    value = tf.convert_to_tensor(variable.value)
    return tf.reduce_sum(tf.cast(tf.bitcast(value, INTEGERS[value.dtype.size]), tf.int64))


def _copy(variable: keras.Variable) -> keras.Variable:
    name = f"{variable.path.replace('/', '_')}_average"
    return keras.Variable(variable.numpy(), dtype=variable.dtype, trainable=False, name=name)
