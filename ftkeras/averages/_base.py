import contextlib

import keras
import tensorflow as tf


class WeightAverage(keras.callbacks.Callback):
    """Averages the weights that learn, and lends the average to the model to be measured and kept.

    average <- average + share(n) * (weights - average)          at the n-th sample, n from 1

    The model holds the average from the moment validation begins until the next epoch begins, so
    whatever looks at it in `on_epoch_end` (BestEpoch among them) sees what was validated, wherever
    it stands in the list of callbacks. Training goes on with the weights themselves. After the
    last epoch the average stays in the model. A callback that changes which variables learn in
    `on_epoch_begin` must stand before this one.

    A subclass gives `share` and calls `take`.
    """

    def __init__(self):
        super().__init__()
        self.followed, self.shadows, self.count = [], [], None
        self.lent = False

    def share(self, count):
        """How much the newest sample counts, float32 scalar (), after `count` of them."""
        raise NotImplementedError

    def epoch_trained(self):
        """Called when an epoch's last update is made and nothing is measured yet."""

    @property
    def variables(self) -> list[keras.Variable]:
        """All state there is, once built: the samples' count and the average."""
        return [self.count, *self.shadows]

    def build(self, model) -> None:
        """Makes variables for all that learns and has none yet; `fit` does so each epoch.

        What has not learnt so far was constant, so its average is what it is now.
        """
        known = {id(variable) for variable in self.followed}
        fresh = [v for v in model.trainable_variables if id(v) not in known]
        self._strategy = model.distribute_strategy
        with self._strategy.scope():
            if self.count is None:
                self.count = keras.Variable(0, dtype="int64", trainable=False, name="count")
            self.shadows += [_copy(variable) for variable in fresh]
        self.followed += fresh
        if fresh:  # one call for all variables, traced once
            self._take, self._swap = tf.function(self._take_all), tf.function(self._swap_all)

    def take(self) -> None:
        """Takes the weights as they are now into the average."""
        self._take()

    def lend(self) -> None:
        """Gives the model the average, if there is a sample, and keeps the weights meanwhile."""
        if not self.lent and int(self.count.numpy()):
            self._swap()
            self.lent = True

    def take_back(self) -> None:
        """Gives the model its weights back."""
        if self.lent:
            self._swap()
            self.lent = False

    @contextlib.contextmanager
    def raw_weights(self):
        """The model with the weights that training goes on from, and the average in `variables`."""
        lent = self.lent
        self.take_back()
        try:
            yield
        finally:
            if lent:
                self.lend()

    def on_train_begin(self, logs=None):
        self.build(self.model)

    def on_epoch_begin(self, epoch, logs=None):
        self.take_back()
        self.build(self.model)

    def on_test_begin(self, logs=None):
        self._measured()

    def on_epoch_end(self, epoch, logs=None):
        self._measured()

    def _measured(self):
        if not self.lent:
            self.epoch_trained()
            self.lend()

    def _take_all(self):
        def blend(shadow, variable, share):
            shadow.assign_add((variable - shadow) * tf.cast(share, shadow.dtype))

        self.count.assign_add(1)
        self._each(blend, self.share(tf.cast(self.count.value, tf.float32)))

    def _swap_all(self):
        def swap(shadow, variable):
            held = tf.identity(variable)
            variable.assign(shadow)
            shadow.assign(held)

        self._each(swap)

    def _each(self, update, *scalars):
        with self._strategy.scope():
            for shadow, variable in zip(self.shadows, self.followed, strict=True):
                self._strategy.extended.update(
                    shadow.value, update, args=(variable.value, *scalars), group=False
                )


def _copy(variable):
    name = f"{variable.path.replace('/', '_')}_average"
    return keras.Variable(variable.numpy(), dtype=variable.dtype, trainable=False, name=name)
