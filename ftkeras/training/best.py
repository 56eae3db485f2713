import math
import pathlib

import keras

from ftkeras.checkpoints.training_state import Place
from ftkeras.training import weights


class BestEpoch(keras.callbacks.Callback):
    """Keeps the weights of the epoch that does best on validation, and stops when none is better.

    Each best epoch has a file of its own, so that an older checkpoint of the run finds the one that
    was the best then; `forget` removes those that no checkpoint needs.

    Args:
        folder: for the weights.
        objective: accuracy (higher is better) or loss (lower is); of equals the first stays.
        patience: epochs without a better one before training stops; None for never.
        judges: whether there is validation to go by; without, each epoch is better than the last.
        writes: whether this process writes the files; of many that train together, one does.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        *,
        objective: str,
        patience: int | None,
        judges: bool = True,
        writes: bool = True,
    ):
        super().__init__()
        self.folder, self.objective, self.patience = folder, objective, patience
        self.judges, self.writes = judges, writes
        self.epoch: int | None = None
        self.value = math.nan
        self.is_current = False

    def state(self) -> dict:
        """What a checkpoint keeps of it."""
        return {"epoch": self.epoch, "value": None if self.epoch is None else self.value}

    def restore_state(self, state: dict) -> None:
        """Goes on from what `state` gave."""
        self.epoch = state["epoch"]
        self.value = math.nan if state["value"] is None else state["value"]

    def on_epoch_begin(self, epoch, logs=None):
        self.is_current = False  # the weights move on

    def on_epoch_end(self, epoch, logs=None):
        value = float(logs[f"val_{self.objective}"]) if self.judges else math.nan
        self.is_current = self.epoch is None or not self.judges or self._better(value)
        if self.is_current:
            self.epoch, self.value = epoch, value
            if self.writes:
                weights.save(self.model.weights, self._path(epoch))
        elif self._is_patience_over(epoch):
            self.model.stop_training = True

    def ends_training(self, place: Place, *, epochs: int) -> bool:
        """Whether there is nothing to train any more at this place of a run."""
        if place.step or self.epoch is None:
            return False
        return place.epoch >= epochs or self._is_patience_over(place.epoch - 1)

    def restore(self, model: keras.Model) -> None:
        """Gives the model the best epoch's weights."""
        if not self.is_current:
            weights.load(model.weights, self._path(self.epoch))

    def forget(self, facts: list[dict]) -> None:
        """Removes the weights that none of the checkpoints, of which these are the facts, needs."""
        epochs = {told[type(self).__name__]["epoch"] for told in facts} - {None}
        for path in self.folder.glob("best-*.safetensors"):
            if path not in {self._path(epoch) for epoch in epochs}:
                path.unlink()

    def _is_patience_over(self, epoch):
        return self.patience is not None and epoch - self.epoch >= self.patience

    def _path(self, epoch):
        return self.folder / f"best-{epoch + 1:05d}.safetensors"

    def _better(self, value: float) -> bool:
        if math.isnan(self.value):
            return not math.isnan(value)
        return value < self.value if self.objective == "loss" else value > self.value
