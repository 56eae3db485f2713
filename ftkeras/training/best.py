"""The weights of the best validation, and early stopping."""

import math
import pathlib
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import keras

from ftkeras.checkpoints.training_state import Position
from ftkeras.problems import rank_key
from ftkeras.training import weights
from ftkeras.training.callback import Callback


class BestEpoch(Callback):
    """Save the weights of the epoch with the best validation metric, and stop early.

    Validations within an epoch are offered as well, if there are any. Each best one gets its own
    file, so that a run that resumes from an older checkpoint finds the weights that were the best
    then. `remove_unneeded` removes the files that no checkpoint needs.

    Args:
        folder: where the weights are saved.
        objective: one of the problem's `measures`. Ties are broken by the lower loss, then by
            fewer epochs. An epoch whose loss is not finite never replaces another one.
        patience: epochs without improvement before training stops; None for no limit.
        has_validation: whether there are validation metrics. Without them, each epoch counts as
            better than the one before.
        writes_files: whether this process writes the files. One of all workers does.
        fixed: variables of the model that training never changes, such as those of a frozen
            encoder. They are not saved.

    Attributes:
        epoch: the best epoch, from 0; None before the first validation.
        step: the updates of that epoch before the best validation; None at its end.
        value: its metric.
        loss: its validation loss, which breaks ties.
        is_current: whether the model holds the best epoch's weights.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        *,
        objective: str,
        patience: int | None,
        has_validation: bool = True,
        writes_files: bool = True,
        fixed: Iterable[keras.Variable] = (),
    ):
        super().__init__()
        self.folder, self.objective, self.patience = folder, objective, patience
        self.has_validation, self.writes_files = has_validation, writes_files
        self._fixed = {id(variable) for variable in fixed}
        self.epoch: int | None = None
        self.step: int | None = None
        self.value = self.loss = math.nan
        self.is_current = False

    def state(self) -> dict:
        """Return the state to save in a checkpoint."""
        numbers = (None, None) if self.epoch is None else (self.value, self.loss)
        step = {} if self.step is None else {"step": self.step}
        return {"epoch": self.epoch, **step, "value": numbers[0], "loss": numbers[1]}

    def restore_state(self, state: dict) -> None:
        """Resume from what `state` returned."""
        self.epoch, self.step = state["epoch"], state.get("step")
        self.value = math.nan if state["value"] is None else state["value"]
        # Checkpoints of earlier versions have no loss: of equal epochs they keep the first.
        loss = state.get("loss", -sys.float_info.max)
        self.loss = math.nan if loss is None else loss

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.is_current = False  # training changes the weights

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if not self.offer(logs, epoch=epoch) and self._is_patience_over(epoch):
            self.model.stop_training = True

    def offer(self, logs: Mapping[str, float], *, epoch: int, step: int | None = None) -> bool:
        """Save the model's weights if a validation is the best so far; return whether it is.

        Args:
            logs: the metrics of the validation, by names that start with `val_`.
            epoch: from 0.
            step: the updates of the epoch before the validation; None at its end.
        """
        value = loss = math.nan
        if self.has_validation:
            value, loss = float(logs[f"val_{self.objective}"]), float(logs["val_loss"])
        is_better = not self.has_validation or self._is_better(value, loss)
        is_best = self.epoch is None or is_better
        self.is_current = is_best and step is None  # within an epoch, training goes on
        if is_best:
            self.epoch, self.step, self.value, self.loss = epoch, step, value, loss
            if self.writes_files:
                weights.save(self._trained(self.model), self._path(epoch, step))
        return is_best

    def is_finished(self, position: Position, *, epochs: int) -> bool:
        """Return whether nothing is left to train at this position of a run of `epochs`."""
        if position.step or self.epoch is None:
            return False
        return position.epoch >= epochs or self._is_patience_over(position.epoch - 1)

    def restore(self, model: keras.Model) -> None:
        """Load the best epoch's weights into the model."""
        if not self.is_current and self.epoch is not None:
            weights.load(self._trained(model), self._path(self.epoch, self.step))

    def remove_unneeded(self, states: list[dict]) -> None:
        """Remove the weights that none of these states, one for each checkpoint, refers to."""
        needed = {
            self._path(state["epoch"], state.get("step"))
            for state in states
            if state["epoch"] is not None
        }
        for path in self.folder.glob("best-*.safetensors"):
            if path not in needed:
                path.unlink()

    def _trained(self, model: keras.Model) -> list[keras.Variable]:
        return [variable for variable in model.weights if id(variable) not in self._fixed]

    def _is_patience_over(self, epoch: int) -> bool:
        if self.patience is None or self.epoch is None:
            return False
        return epoch - self.epoch >= self.patience

    def _path(self, epoch: int, step: int | None) -> pathlib.Path:
        within = "" if step is None else f"-{step:09d}"
        return self.folder / f"best-{epoch + 1:05d}{within}.safetensors"

    def _is_better(self, value: float, loss: float) -> bool:
        # Of equal epochs the first stays, so their numbers need not be compared.
        best = rank_key(self.objective, self.value, self.loss, 0)
        return rank_key(self.objective, value, loss, 0) < best
