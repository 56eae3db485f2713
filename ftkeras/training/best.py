import math
import pathlib

import keras

from ftkeras.errors import UserError
from ftkeras.training import checkpoints


class BestEpoch(keras.callbacks.Callback):
    """Keeps the weights of the epoch that does best on validation, and stops when none is better.

    Args:
        path: the file for the weights, replaced whole at each better epoch.
        objective: accuracy (higher is better) or loss (lower is); of equals the first stays.
        patience: epochs without a better one before training stops; None for never.
    """

    def __init__(self, path: pathlib.Path, *, objective: str, patience: int | None):
        super().__init__()
        self.path, self.objective, self.patience = path, objective, patience
        self.epoch: int | None = None
        self.value = math.nan
        self.is_current = False

    def on_epoch_begin(self, epoch, logs=None):
        self.is_current = False  # the weights move on

    def on_epoch_end(self, epoch, logs=None):
        if not math.isfinite(logs["loss"]):
            kept = "" if self.epoch is None else f" Epoch {self.epoch + 1} is kept."
            raise UserError(
                f"training diverged: the loss of epoch {epoch + 1} is {logs['loss']}.{kept} "
                "A lower --learning_rate or a longer --warmup would do."
            )
        value = float(logs[f"val_{self.objective}"])
        self.is_current = self.epoch is None or self._better(value)
        if self.is_current:
            self.epoch, self.value = epoch, value
            checkpoints.save(self.model.weights, self.path)
        elif self.patience is not None and epoch - self.epoch >= self.patience:
            self.model.stop_training = True

    def restore(self) -> None:
        """Gives the model the best epoch's weights."""
        if not self.is_current:
            checkpoints.load(self.model.weights, self.path)

    def _better(self, value: float) -> bool:
        if math.isnan(self.value):
            return not math.isnan(value)
        return value < self.value if self.objective == "loss" else value > self.value
