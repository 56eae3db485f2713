"""Resume an interrupted `fit`, bit by bit."""

import contextlib
import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from ftkeras.callbacks import _data, _random_states, _variables
from ftkeras.callbacks._callback_states import CallbackStates
from ftkeras.callbacks._packing import pack, unpack
from ftkeras.checkpoints.training_state import Checkpoints, Position, State
from ftkeras.errors import UserError
from ftkeras.support import bounds, files, keras_compat, messages
from ftkeras.training.callback import Callback

log = logging.getLogger(__name__)

EPOCH = "epoch"
# Keras appends these to the callbacks by itself.
_APPENDED = (keras.callbacks.History, keras.callbacks.ProgbarLogger)


class ExactResume(Callback):
    """Resume an interrupted `fit` so that it ends with the same bits as an uninterrupted one.

    Make everything as before, in the same or another process, and call `fit` again with the same
    arguments. Training then continues at the newest checkpoint. The weights, the optimizer, dropout
    masks, metrics and the history end up equal to those of a training that was never interrupted.
    It works for any Keras model on one machine, and must be the last of `callbacks`.

    - The batches before the position are read again, but not trained on. The data must therefore
      come in the same order when the program starts again: seed every `shuffle`, or call
      `keras.utils.set_random_seed` first. Without a seed, checkpoints are written between epochs
      only, and a warning says so.
    - A dataset that is shuffled anew in each epoch starts with its second order, because one batch
      is read to recognize the data.
    - The states of Keras's callbacks, of `ftkeras.averages`, of regularizers that were applied to
      the model, and of callbacks that have `state()` and `restore_state(state)` are restored. A
      warning names attributes of other callbacks that change in training.
    - Random numbers that a layer draws from `tf.random` instead of `keras.random` are not
      repeated.

    Args:
        backup_dir: the folder of the checkpoints. It holds those of one training only.
        save_freq: "epoch" to save after each epoch, or the number of steps between two checkpoints.
        keep: how many of the newest checkpoints to keep; at least 1. If one is damaged, the one
            before it is used.
        delete_checkpoint: whether the checkpoints are deleted when training is finished. If not,
            `fit` called again repeats what followed the newest one.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
        UserError: the folder can't be written; in `fit`, if the model, the data or the callbacks
            are not those of the checkpoint.

    >>> ExactResume("backup", save_freq=500).save_freq
    500
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike,
        save_freq: int | str = EPOCH,
        *,
        keep: int = 2,
        delete_checkpoint: bool = True,
    ):
        super().__init__()
        if not isinstance(backup_dir, str | os.PathLike) or not os.fspath(backup_dir):
            raise ValueError(f"`backup_dir` must name a folder. Received: {backup_dir!r}.")
        if isinstance(save_freq, str) and save_freq != EPOCH:
            raise ValueError(
                f"`save_freq` must be {EPOCH!r} or a number of steps. Received: {save_freq!r}."
            )
        if not isinstance(save_freq, str):
            bounds.integer(1, save_freq=save_freq)
        bounds.integer(1, keep=keep)
        bounds.boolean(delete_checkpoint=delete_checkpoint)
        self.folder = files.require_writable(backup_dir, "backup_dir")
        self.save_freq: Any = save_freq
        self.delete_checkpoint = delete_checkpoint
        self.checkpoints = Checkpoints(self.folder, keep=keep)
        self._undo: Callable[[], None] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._end_resumed_epoch()  # which an exception may have left
        fit = keras_compat.running_fit()
        _require_one_machine(self.model.distribute_strategy)
        self._others = CallbackStates(self._other_callbacks(fit.callbacks))
        self._epoch = self._step = self._steps = self._last_save = 0
        self._first: int | None = None
        self._resumed: State | None = None
        self._reported = False
        self._obstacle = _data.cannot_repeat(fit)
        self._about = _data.describe(fit, repeated=self._obstacle is None)
        self._start = _random_states.now()
        for path in self.folder.glob(".update-*.partial"):  # a process was killed while it wrote
            path.unlink()
        if state := self.checkpoints.newest():
            self._resume_from(state, fit)
        if self._obstacle is not None:
            log.warning(
                f"the order of the training data can't be repeated ({self._obstacle}): checkpoints "
                "are written between epochs only, and epochs after a resumption have an order of "
                "their own. Give each `shuffle` a seed, or call keras.utils.set_random_seed first."
            )

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        # The other callbacks have begun the epoch, so that averages have left the model, and what
        # trains in this epoch is set. The history of the epoch before is complete.
        self._epoch, self._step = epoch, 0
        if self._resumed is not None:
            self._restore(self._resumed)
            self._resumed = None
        elif self._first is None:
            self._first = epoch
        elif self.save_freq == EPOCH or self._obstacle is not None:
            self._save({})

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._steps += batch + 1 - self._step
        self._step = batch + 1
        if self.save_freq == EPOCH or self._obstacle is not None or self.model.stop_training:
            return
        if self._steps - self._last_save >= self.save_freq:
            self._save(dict(logs or {}))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._end_resumed_epoch()

    def on_train_end(self, logs: Any = None) -> None:
        if self.delete_checkpoint:
            for path in self.checkpoints.paths():
                path.unlink()
            with contextlib.suppress(OSError):  # missing, or with files of the user in it
                self.folder.rmdir()

    def _end_resumed_epoch(self) -> None:
        if self._undo is not None:
            self._undo()
            self._undo = None

    def _other_callbacks(
        self, callbacks: Sequence[keras.callbacks.Callback]
    ) -> list[keras.callbacks.Callback]:
        """Return all callbacks but this one and progress bars."""
        after = callbacks[[one is self for one in callbacks].index(True) + 1 :]
        if wrong := [type(one).__name__ for one in after if not isinstance(one, _APPENDED)]:
            raise UserError(
                "`callbacks` must have ExactResume at their end, because what the others do after "
                f"a step belongs to the state. Received after it: {', '.join(wrong)}."
            )
        leave = (ExactResume, keras.callbacks.ProgbarLogger)
        return [one for one in callbacks if not isinstance(one, leave)]

    def _save(self, logs: dict[str, Any]) -> None:
        tensors = _variables.values(_variables.of_training(self.model, self._others.by_name))
        facts = {
            "data": self._about,
            "first_epoch": self._first,
            "logs": pack(logs, "logs", tensors),
            "start": pack(self._start, "start", tensors),
            "random": pack(_random_states.now(), "random", tensors),
            "callbacks": self._others.save(tensors),
        }
        position = Position(self._epoch, self._step)
        self.checkpoints.write(State(position, self._steps, tensors, facts))
        self._last_save = self._steps
        if not self._reported and (unsaved := self._others.unsaved()):
            log.warning(
                f"{', '.join(unsaved)} changed in training and is not saved: give the callback "
                "`state()` and `restore_state(state)`"
            )
        self._reported = True

    def _resume_from(self, state: State, fit: keras_compat.Fit) -> None:
        """Read the data up to the position of a checkpoint, and have `fit` begin there."""
        position, facts = state.position, state.facts
        self._check(state)
        self._first = facts["first_epoch"]
        self._start = unpack(facts["start"], state.tensors)
        epochs = position.epoch - facts["first_epoch"]
        _random_states.restore(self._start)
        if self._obstacle is None:
            try:
                batch = keras_compat.read_epochs(fit.epochs, count=epochs, step=position.step)
            except StopIteration:
                raise UserError(
                    f"`x` has fewer than the {position.step} batches that were trained on in epoch "
                    f"{position.epoch + 1}; pass the same data, or remove {self.folder}."
                ) from None
        else:
            batch = next(iter(fit.dataset()))
        # A state that reading has changed belongs to the data, and is where it must be.
        self._unread = _random_states.unchanged(self._start)
        keras_compat.build(self.model, batch)
        keras_compat.start_at(self.model, position.epoch)
        self._resumed = state
        step = f"after step {position.step}" if position.step else "at the start"
        with messages.shown(verbose=True):
            log.info(f"resuming {step} of epoch {position.epoch + 1} ({self.folder})")

    def _check(self, state: State) -> None:
        """Raise UserError if this training can't go on from a checkpoint."""
        if "data" not in state.facts:
            raise UserError(
                f"`backup_dir`: {self.folder} holds checkpoints of another program; name a folder "
                "for this training alone."
            )
        _data.compare(self._about, state.facts["data"], self.folder)
        epochs = int((self.params or {})["epochs"])
        if state.position.epoch >= epochs:
            raise UserError(
                f"`epochs`={epochs}: the checkpoint in {self.folder} is in epoch "
                f"{state.position.epoch + 1}; pass more epochs, or remove the folder."
            )

    def _restore(self, state: State) -> None:
        """Set the state of the training, when all other callbacks have begun the epoch."""
        keras_compat.start_at(self.model, None)
        facts, tensors, within = state.facts, state.tensors, bool(state.position.step)
        _variables.restore(
            _variables.of_training(self.model, self._others.by_name),
            tensors,
            metrics=within,
            source=self.folder,
        )
        self._others.restore(facts["callbacks"], tensors)
        random = unpack(facts["random"], tensors)
        _random_states.restore({name: random[name] for name in self._unread})
        self._step, self._steps = state.position.step, state.updates
        self._last_save = self._steps
        if within:
            logs = unpack(facts["logs"], tensors)
            self._undo = keras_compat.report_if_no_step(self.model, logs)


def _require_one_machine(strategy: tf.distribute.Strategy) -> None:
    kinds = (
        tf.distribute.MultiWorkerMirroredStrategy,
        tf.distribute.experimental.ParameterServerStrategy,
    )
    if isinstance(strategy, kinds):
        raise UserError(
            f"`callbacks`: ExactResume works on one machine; {type(strategy).__name__} has several."
        )
