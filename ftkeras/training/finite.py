import logging
import math

import keras
import tensorflow as tf

from ftkeras.errors import UserError

log = logging.getLogger(__name__)


class Finite(keras.callbacks.Callback):
    """Stops a run whose loss is no number, and says at which step, rate and gradient norm.

    A step's figures are looked at when the next one is on its way, so no device waits for it;
    `check` looks at once. Where such updates are skipped (`--on_nan=skip`) it tells how many were.
    """

    def __init__(self):
        super().__init__()
        self._latest = None

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.check()
        norm = tf.identity(self.model.optimizer.gradient_norm.value)
        self._latest = (batch, logs["loss"], norm)

    def on_epoch_end(self, epoch, logs=None):
        self.check()

    def on_train_end(self, logs=None):
        if skipped := int(self.model.optimizer.skipped.numpy()):
            plural = "" if skipped == 1 else "s"
            log.info(f"note: {skipped:,} update{plural} skipped, the gradient was no number")

    def check(self) -> None:
        """Raises UserError if the latest step's loss is no number."""
        if self._latest is None or math.isfinite(self._latest[1]):
            return
        batch, loss, norm = self._latest
        rate = float(self.model.optimizer.rate_of_last_update())
        raise UserError(
            f"training diverged: the loss is {float(loss)} at step {batch + 1} of epoch "
            f"{self._epoch + 1}, learning rate {rate:.2e}, gradient norm {float(norm):.3g}. A "
            "lower `learning_rate` or a longer `warmup` would do; on_nan=skip goes on without "
            "such steps."
        )
