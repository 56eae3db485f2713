"""The states of the other callbacks of a training."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from ftkeras.callbacks._packing import pack, unpack
from ftkeras.errors import UserError
from ftkeras.training.callback import named
from ftkeras.training.protocols import HasVariables, StatefulCallback

# The attributes in which Keras's callbacks keep what happened. The others have no state.
_OF_KERAS = {
    keras.callbacks.EarlyStopping: ("best", "best_epoch", "best_weights", "stopped_epoch", "wait"),
    keras.callbacks.History: ("epoch", "history"),
    keras.callbacks.ModelCheckpoint: (
        "best",
        "_batches_seen_since_last_saving",
        "_last_batch_seen",
    ),
    keras.callbacks.ReduceLROnPlateau: ("best", "cooldown_counter", "wait"),
    keras.callbacks.TensorBoard: ("_global_test_batch", "_global_train_batch"),
}
_SET_BY_KERAS = ("_model", "min_delta", "model", "monitor_op", "params")


class CallbackStates:
    """The callbacks of a training, by unique names, and their states.

    A callback of a user has a state if it has `state()` and `restore_state(state)`.

    Args:
        callbacks: in their order, when training has begun.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback]):
        self.by_name = named(callbacks)
        self._at_start = {name: _content(one) for name, one in self._without_state().items()}

    def save(self, tensors: dict[str, np.ndarray]) -> dict[str, Any]:
        """Return the states as JSON types; their arrays are put into `tensors`."""
        states = {name: _state(callback) for name, callback in self.by_name.items()}
        return {
            name: pack(state, name, tensors) for name, state in states.items() if state is not None
        }

    def restore(self, states: dict[str, Any], tensors: dict[str, np.ndarray]) -> None:
        """Restore what `save` returned.

        Raises:
            UserError: a callback of the checkpoint is missing.
        """
        if missing := sorted(set(states) - set(self.by_name)):
            raise UserError(
                f"`callbacks` lacks {', '.join(missing)}, of which the checkpoint holds a state; "
                "pass the same callbacks as before."
            )
        for name, packed in states.items():
            callback, state = self.by_name[name], unpack(packed, tensors)
            if isinstance(callback, StatefulCallback):
                callback.restore_state(state)
            else:
                vars(callback).update(state)

    def unsaved(self) -> list[str]:
        """Return the attributes that changed in training and are not saved, as "Name.attribute"."""
        return [
            f"{name}.{attribute}"
            for name, callback in self._without_state().items()
            for attribute, content in _content(callback).items()
            if self._at_start[name].get(attribute) != content
        ]

    def _without_state(self) -> dict[str, keras.callbacks.Callback]:
        """Return the callbacks that are not Keras's and have neither a state nor variables."""
        return {
            name: callback
            for name, callback in self.by_name.items()
            if not isinstance(callback, StatefulCallback | HasVariables)
            and not type(callback).__module__.startswith("keras.")
        }


def _state(callback: keras.callbacks.Callback) -> dict[str, Any] | None:
    """Return the state of a callback that must be saved; None if it has none."""
    if isinstance(callback, StatefulCallback):
        return callback.state()
    for kind, attributes in _OF_KERAS.items():
        if isinstance(callback, kind):
            known = vars(callback)
            return {name: known[name] for name in attributes if name in known}
    return None


def _content(callback: keras.callbacks.Callback) -> dict[str, str]:
    """Return the attributes of a callback as text, by which changes are noticed."""
    inherited = next((names for kind, names in _OF_KERAS.items() if isinstance(callback, kind)), ())
    return {
        name: repr(value)
        for name, value in vars(callback).items()
        if name not in (*_SET_BY_KERAS, *inherited)
    }
