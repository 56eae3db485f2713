"""A check that the loss stays finite."""

import logging
import math
from typing import Any

import tensorflow as tf

from ftkeras.errors import UserError
from ftkeras.training.callback import Callback

log = logging.getLogger(__name__)


class Finite(Callback):
    """Stop a run whose loss is not finite, and report step, learning rate and gradient norm.

    The loss of a step is read when the next step is under way, so no device waits; `check` reads it
    at once. With `on_nan="skip"` it reports at the end how many updates were skipped.
    """

    def __init__(self):
        super().__init__()
        self._latest = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.check()
        norm = tf.identity(self.model.optimizer.gradient_norm.value)
        self._latest = (batch, logs["loss"], norm)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.check()

    def on_train_end(self, logs: Any = None) -> None:
        if skipped := int(self.model.optimizer.skipped.numpy()):
            plural = "" if skipped == 1 else "s"
            log.info(f"note: {skipped:,} update{plural} skipped: the gradient was not finite")

    def check(self) -> None:
        """Raise UserError if the loss of the latest step is not finite."""
        if self._latest is None or math.isfinite(self._latest[1]):
            return
        batch, loss, norm = self._latest
        learning_rate = float(self.model.optimizer.last_learning_rate())
        raise UserError(
            f"training diverged: the loss is {float(loss)} at step {batch + 1} of epoch "
            f"{self._epoch + 1}, learning rate {learning_rate:.2e}, gradient norm "
            f"{float(norm):.3g}. Try a lower `learning_rate` or a longer `warmup`; on_nan=skip "
            "skips such updates."
        )
