"""Every use of private Keras API, each with its reason.

Keras may rename or remove these without notice. No other module of the package uses one (tested),
so a new Keras version needs changes here only. `missing` lists those that the installed version
lacks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf
from keras.src.backend.common import global_state

Schedule = keras.optimizers.schedules.LearningRateSchedule


@dataclass(frozen=True)
class Private:
    """A private attribute of Keras or TensorFlow, and why nothing public serves instead."""

    owner: str
    attribute: str
    reason: str


USED = (
    Private(
        "optimizer",
        "_backend_update_step",
        "`update_step` sees one variable at a time; clipping by the norm of the gradients summed "
        "over replicas needs all of them at once",
    ),
    Private(
        "optimizer",
        "_get_variable_index",
        "finds the moments of the variable that `update_step` is given, which may be the copy on "
        "one replica",
    ),
    Private(
        "optimizer",
        "_learning_rate",
        "`learning_rate` is the schedule's value at the current step, not the schedule",
    ),
    Private(
        "tensorflow.__internal__.distribute.interim",
        "maybe_merge_call",
        "updates mirrored variables once for all replicas, or at once where there is one replica",
    ),
    Private(
        "model",
        "_maybe_symbolic_build",
        "fails on PerReplica values under MultiWorkerMirroredStrategy (keras#20585)",
    ),
    Private(
        "model",
        "_make_function",
        "averages the replicas' averages, which is wrong where their parts of a batch differ in "
        "size, and reduces scalars over an axis (keras#20585)",
    ),
    Private(
        "model",
        "_distribute_strategy",
        "`distribute_strategy` does not tell whether the model was made under a strategy",
    ),
    Private(
        "model",
        "_compile_loss",
        "`compute_loss` also adds the penalties of layers, which count once however many passes "
        "there are",
    ),
    Private("model", "_flatten_layers", "`layers` lists only the outermost layers"),
    Private(
        "keras.src.backend.common.global_state",
        "get_global_attribute",
        "`keras.utils.set_random_seed` cannot be undone otherwise",
    ),
    Private("keras.src.backend.common.global_state", "set_global_attribute", "the same"),
    Private(
        "model",
        "_jit_compile",
        "its setter refuses XLA under op determinism, although XLA's ops are deterministic",
    ),
)


def missing() -> list[str]:
    """Return a message for each attribute of `USED` that the installed Keras lacks."""
    model = keras.Model()
    model.compile(optimizer=keras.optimizers.SGD())
    owners = {
        "optimizer": model.optimizer,
        "model": model,
        "tensorflow.__internal__.distribute.interim": tf.__internal__.distribute.interim,
        "keras.src.backend.common.global_state": global_state,
    }
    return [
        f"{use.owner}.{use.attribute} is not in Keras {keras.__version__} with TensorFlow "
        f"{tf.__version__}. It is used because: {use.reason}."
        for use in USED
        if not hasattr(owners[use.owner], use.attribute)
    ]


def seed_state() -> dict[str, Any]:
    """Return the state that `keras.utils.set_random_seed` sets in Keras."""
    names = ("global_random_seed", "global_seed_generator")
    return {name: global_state.get_global_attribute(name) for name in names}


def set_seed_state(state: dict[str, Any]) -> None:
    """Set what `seed_state` returned."""
    for name, value in state.items():
        global_state.set_global_attribute(name, value)


def all_layers(model: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return a model and its layers, nested ones included."""
    return list(model._flatten_layers())


def compiled_loss(model: keras.Model, y: Any, y_pred: Any, sample_weight: Any) -> Any:
    """Return the loss that a model was compiled with, without the penalties of its layers."""
    return model._compile_loss(y, y_pred, sample_weight)


class Optimizer(keras.optimizers.Optimizer):
    """A Keras optimizer that updates all variables at once, by `apply_update`."""

    def apply_update(
        self, gradients: list[Any], variables: list[tf.Variable], learning_rate: Any
    ) -> None:
        """Update the variables, given this replica's gradients. Called in replica context."""
        raise NotImplementedError

    def variable_index(self, variable: tf.Variable) -> int:
        """Return the position of a variable, or of its copy on a replica, in `build`'s list."""
        return self._get_variable_index(variable)

    @property
    def schedule(self) -> Schedule | None:
        """The learning-rate schedule, or None if the learning rate is a number."""
        return self._learning_rate if isinstance(self._learning_rate, Schedule) else None

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        self.apply_update(grads, [v.value for v in trainable_variables], learning_rate)


def merge_call(function: Callable, strategy: tf.distribute.Strategy, *args: Any) -> None:
    """Call `function(strategy, *args)` once for all replicas."""
    tf.__internal__.distribute.interim.maybe_merge_call(function, strategy, *args)


class Model(keras.Model):
    """A Keras model whose step under a strategy is its subclass's."""

    def build_before_run(self) -> None:
        """Create what is missing before `fit`, `evaluate` or `predict` starts."""
        raise NotImplementedError

    def distributed_function(self, step_function: Callable) -> Callable:
        """Return a function that takes an iterator and runs a step on all replicas."""
        raise NotImplementedError

    @property
    def has_strategy(self) -> bool:
        """True if the model was created in the scope of a distribution strategy."""
        return self._distribute_strategy is not None

    def set_jit_compile(self, jit_compile: bool) -> None:
        """Set whether XLA compiles the step, also under op determinism."""
        self._jit_compile = jit_compile

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        self.build_before_run()

    def _make_function(self, step_function):
        if not self.has_strategy:
            return super()._make_function(step_function)
        return self.distributed_function(step_function)
