import contextlib
import time
from collections.abc import Callable, Sequence

import keras
import numpy as np

from ftkeras.checkpoints.training_state import Checkpoints, Place, State
from ftkeras.errors import Stopped
from ftkeras.training.stopping import Asked

FIGURES = "figures"


class Checkpointer(keras.callbacks.Callback):
    """Keeps the run's state every so often, at its end, and where a signal asks it to stop.

    It must be the last of the callbacks: what the others do after a step is part of the state.
    Those that have `state()` and `restore_state(state)` keep it by their class's name.

    Args:
        checkpoints: where the states go; None where another process of the run writes them.
        every: updates between two, or seconds where `in_seconds`; 0 for none on the way.
        callbacks: all others of the run.
        others: what has `variables`, beside the model, its optimizer and the callbacks.
        asked: the signal that has been heard.
        agreed: a number to the largest that any process of the run has; all of them ask, at each
            step, so that they keep and stop together. What is kept may take them all to read.
        check: called before a state is kept; raises where it is not worth keeping.
        forget: called after that, with the facts of all checkpoints that are left.
        begin: the state to go on from; None for a new run.
    """

    def __init__(
        self,
        checkpoints: Checkpoints | None,
        *,
        every: float,
        in_seconds: bool,
        callbacks: Sequence[keras.callbacks.Callback],
        others: Sequence,
        asked: Asked,
        agreed: Callable[[int], int],
        check: Callable[[], None],
        forget: Callable[[list[dict]], None],
        begin: State | None = None,
    ):
        super().__init__()
        self.checkpoints, self.every, self.in_seconds = checkpoints, every, in_seconds
        self.stateful = {type(c).__name__: c for c in callbacks if hasattr(c, "restore_state")}
        self.others = [*others, *(c for c in callbacks if hasattr(c, "variables"))]
        self.asked, self.agreed, self.check = asked, agreed, check
        self.forget, self.begin = forget, begin
        self._place, self._kept, self._figures, self._steps = Place(), None, {}, 0
        if begin is not None:
            for name, state in begin.facts.items():
                self.stateful[name].restore_state(state)

    def on_train_begin(self, logs=None):
        self._mark = self._now()

    def on_epoch_begin(self, epoch, logs=None):
        self._place = Place(epoch, 0)
        # Only now: what an epoch's beginning changes, such as what learns, stands already.
        if self.begin is not None:
            self._restore(self.begin)
            self.begin = None

    def on_train_batch_end(self, batch, logs=None):
        self._steps += 1
        self._after(Place(self._place.epoch, batch + 1))

    def on_test_begin(self, logs=None):
        # Validation takes the same variables for its own figures.
        self._figures = {id(v): np.asarray(v.numpy()) for v in self.model.metrics_variables}

    def on_test_batch_end(self, batch, logs=None):
        if signal := self.agreed(self.asked.signal or 0):
            self._stop(signal)

    def on_epoch_end(self, epoch, logs=None):
        self._figures = {}
        self._after(Place(epoch + 1, 0))

    def on_train_end(self, logs=None):
        if self._kept != self._place:
            self._keep()

    def _after(self, place: Place) -> None:
        self._place = place
        due = bool(self.every) and self._now() - self._mark >= self.every
        # Below every signal's number.
        asked = self.agreed(self.asked.signal or int(due))
        if asked > 1:
            self._stop(asked)
        if asked:
            self._keep()
            self._mark = self._now()

    def _stop(self, signal: int) -> None:
        self._keep()
        place = f"step {self._place.step} of epoch {self._place.epoch + 1}"
        raise Stopped(signal, f"It is kept after {place}")

    def _now(self) -> float:
        # Not the optimizer's count: to read it would wait for the device at each step.
        return time.monotonic() if self.in_seconds else self._steps

    def _keep(self) -> None:
        self.check()
        self._kept = self._place
        with contextlib.ExitStack() as stack:
            for other in self.others:
                if hasattr(other, "raw_weights"):
                    stack.enter_context(other.raw_weights())
            tensors = {
                name: self._figures.get(id(variable), np.asarray(variable.numpy()))
                for name, variable in self._variables().items()
            }
        if self.checkpoints is None:
            return
        facts = {name: callback.state() for name, callback in self.stateful.items()}
        updates = int(self.model.optimizer.iterations.numpy())
        self.checkpoints.write(State(self._place, updates, tensors, facts))
        self.forget(self.checkpoints.facts())

    def _restore(self, state: State) -> None:
        for name, variable in self._variables().items():
            # An epoch's figures begin anew with it.
            if state.place.step or not name.startswith(FIGURES):
                variable.assign(state.tensors[name])

    def _variables(self) -> dict[str, keras.Variable]:
        """Every variable of the run, by a name that the same run gives it again."""
        others = {f"{type(o).__name__}-{n}": o.variables for n, o in enumerate(self.others)}
        model = self.model
        groups = {"model": model.variables, "optimizer": model.optimizer.variables, **others}
        return {
            f"{group}/{number}/{variable.name}": variable
            for group, variables in {**groups, FIGURES: model.metrics_variables}.items()
            for number, variable in enumerate(variables)
        }
