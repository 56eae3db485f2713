"""Checkpoints during training."""

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np

from ftkeras.checkpoints.training_state import Checkpoints, Position, State
from ftkeras.errors import Stopped, UserError
from ftkeras.training.best import BestEpoch
from ftkeras.training.callback import Callback, named
from ftkeras.training.protocols import HasVariables, StatefulCallback, SwapsWeights
from ftkeras.training.stopping import StopRequest

# First part of the names of a checkpoint's metric variables. Part of the file format.
METRICS = "figures"


class Checkpointer(Callback):
    """Save the run's state at intervals, at its end, and when a signal asks the run to stop.

    It must be the last callback, because what the others do after a step belongs to the state. The
    state of a callback with `state()` and `restore_state(state)` is saved under its `state_keys`
    key.

    Args:
        checkpoints: where the states are saved; None if another process of the run writes them.
        every: updates (or seconds, if `in_seconds`) between two checkpoints; 0 for none during
            training.
        in_seconds: unit of `every`.
        callbacks: all other callbacks of the run.
        others: what else has `variables`, beside the model, its optimizer and the callbacks.
        best: one of `callbacks`; it removes the weights that no checkpoint needs any more.
        stop_request: which signal has been received.
        all_reduce_max: returns the largest of the numbers that the processes of the run pass. All
            of them call it in each step, so that they save and stop together, since reading the
            state may need them all.
        check: called before the state is saved; raises if it is not worth saving.
        resume_from: the state to resume from; None for a new run.
    """

    def __init__(
        self,
        checkpoints: Checkpoints | None,
        *,
        every: float,
        in_seconds: bool,
        callbacks: Sequence[keras.callbacks.Callback],
        others: Sequence[HasVariables],
        best: BestEpoch,
        stop_request: StopRequest,
        all_reduce_max: Callable[[int], int],
        check: Callable[[], None],
        resume_from: State | None = None,
    ):
        super().__init__()
        self.checkpoints, self.every, self.in_seconds = checkpoints, every, in_seconds
        self.stateful = state_keys(callbacks)
        self.others = [*others, *(c for c in callbacks if isinstance(c, HasVariables))]
        self.best, self.stop_request = best, stop_request
        self.all_reduce_max, self.check = all_reduce_max, check
        self.resume_from = resume_from
        self._position, self._saved, self._metrics, self._steps = Position(), None, {}, 0
        if resume_from is not None:
            self._restore_callbacks(resume_from.facts)

    def on_train_begin(self, logs: Any = None) -> None:
        self._last_save = self._clock()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._position = Position(epoch, 0)
        # Only now, after the other callbacks have started the epoch and, for example, changed
        # which variables are trainable.
        if self.resume_from is not None:
            self._restore(self.resume_from)
            self.resume_from = None

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._steps += 1
        self._save_if_due(Position(self._position.epoch, batch + 1))

    def on_test_begin(self, logs: Any = None) -> None:
        # Validation uses the same variables for its own metrics.
        self._metrics = {id(v): np.asarray(v.numpy()) for v in self.model.metrics_variables}

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        if signal := self.all_reduce_max(self.stop_request.signal or 0):
            self._stop(signal)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._metrics = {}
        self._save_if_due(Position(epoch + 1, 0))

    def on_train_end(self, logs: Any = None) -> None:
        if self._saved != self._position:
            self._save()

    def _save_if_due(self, position: Position) -> None:
        self._position = position
        due = bool(self.every) and self._clock() - self._last_save >= self.every
        # 1 asks for a checkpoint. Signals to stop have larger numbers.
        request = self.all_reduce_max(self.stop_request.signal or int(due))
        if request > 1:
            self._stop(request)
        if request:
            self._save()
            self._last_save = self._clock()

    def _stop(self, signal: int) -> None:
        self._save()
        position = f"step {self._position.step} of epoch {self._position.epoch + 1}"
        raise Stopped(signal, f"It is kept after {position}")

    def _clock(self) -> float:
        # Not the optimizer's count: reading it would wait for the device in each step.
        return time.monotonic() if self.in_seconds else self._steps

    def _save(self) -> None:
        self.check()
        self._saved = self._position
        tensors = self._tensors()
        if self.checkpoints is None:
            return
        facts = {key: callback.state() for key, callback in self.stateful.items()}
        updates = int(self.model.optimizer.iterations.numpy())
        self.checkpoints.write(State(self._position, updates, tensors, facts))
        best = next(key for key, callback in self.stateful.items() if callback is self.best)
        self.best.remove_unneeded([facts[best] for facts in self.checkpoints.facts()])

    def _tensors(self) -> dict[str, np.ndarray]:
        with contextlib.ExitStack() as stack:
            for other in self.others:
                if isinstance(other, SwapsWeights):
                    stack.enter_context(other.raw_weights())
            return {
                name: self._metrics.get(id(variable), np.asarray(variable.numpy()))
                for name, variable in self._variables().items()
            }

    def _restore(self, state: State) -> None:
        for name, variable in self._variables().items():
            # At the start of an epoch its metrics start from scratch.
            if state.position.step or not name.startswith(METRICS):
                variable.assign(state.tensors[name])

    def _restore_callbacks(self, states: dict[str, dict]) -> None:
        if unknown := sorted(set(states) - set(self.stateful)):
            raise UserError(
                f"`run_dir`: the checkpoint holds the state of {', '.join(unknown)}, which this "
                f"run does not have; it has {', '.join(sorted(self.stateful))}."
            )
        for key, state in states.items():
            self.stateful[key].restore_state(state)

    def _variables(self) -> dict[str, keras.Variable]:
        """Return every variable of the run, under a name that is the same when it resumes."""
        others = {f"{type(o).__name__}-{n}": o.variables for n, o in enumerate(self.others)}
        model = self.model
        groups = {"model": model.variables, "optimizer": model.optimizer.variables, **others}
        return {
            f"{group}/{number}/{variable.name}": variable
            for group, variables in {**groups, METRICS: model.metrics_variables}.items()
            for number, variable in enumerate(variables)
        }


def state_keys(callbacks: Iterable[keras.callbacks.Callback]) -> dict[str, StatefulCallback]:
    """Return the callbacks that have a state, by the key under which a checkpoint saves it."""
    return named(one for one in callbacks if isinstance(one, StatefulCallback))
