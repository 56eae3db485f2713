"""Every use of private Keras API; `private_keras` has the reason for each.

Keras may rename or remove these without notice. No other module of the package uses one (tested),
so a new Keras version needs changes here only. `missing` lists those that the installed version
lacks.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf
from keras.src.backend.common import global_state, masking
from keras.src.trainers.epoch_iterator import EpochIterator

from ftkeras.errors import UserError
from ftkeras.support.private_keras import USED

Schedule = keras.optimizers.schedules.LearningRateSchedule


def missing() -> list[str]:
    """Return a message for each attribute of `USED` that the installed Keras lacks."""
    model = keras.Model()
    model.compile(optimizer=keras.optimizers.SGD())
    owners = {
        "optimizer": model.optimizer,
        "model": model,
        "variable": model.optimizer.iterations,
        "tensorflow.__internal__.distribute.interim": tf.__internal__.distribute.interim,
        "keras.src.backend.common.global_state": global_state,
        "keras.src.backend.common.masking": masking,
        "keras.src.trainers.epoch_iterator.EpochIterator": EpochIterator,
        "tensorflow.data.Dataset": tf.data.Dataset,
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


@dataclass(frozen=True)
class Fit:
    """A call of `fit` that is running.

    Attributes:
        callbacks: all its callbacks, in their order.
        epochs: the iterator over the steps of each epoch.
        data: its arguments `x`, `y` and `sample_weight`; without what `validation_split` took.
    """

    callbacks: list[keras.callbacks.Callback]
    epochs: Any
    data: tuple[Any, Any, Any]

    def dataset(self) -> Any:
        """Return the dataset that `fit` iterates over, which a strategy may have distributed."""
        return self.epochs._get_iterator()


def running_fit() -> Fit:
    """Return the call of `fit` in which a callback is called.

    Keras tells a callback nothing about the data and the other callbacks. They are in the local
    variables of its callers, so this must be called in a method of a callback.

    Raises:
        UserError: `fit` is not among the callers, or this version of Keras names them otherwise.
    """
    frame, callbacks = inspect.currentframe(), None
    while frame is not None:
        names = frame.f_locals
        if callbacks is None and isinstance(names.get("self"), keras.callbacks.CallbackList):
            callbacks = names["self"].callbacks
        epochs = names.get("epoch_iterator")
        if callbacks is not None and isinstance(epochs, EpochIterator):
            return Fit(callbacks, epochs, (names["x"], names["y"], names["sample_weight"]))
        frame = frame.f_back
    raise UserError(
        f"`callbacks`: ExactResume works in `fit` of a Keras model alone (Keras "
        f"{keras.__version__}); in a loop of your own, save the variables yourself."
    )


def read_epochs(epochs: Any, *, count: int, step: int) -> Any:
    """Read batches as `fit` does, without training, so that `fit` continues after them.

    Args:
        epochs: `Fit.epochs`, from which nothing was read.
        count: complete epochs to read.
        step: steps to read of the next epoch.

    Returns:
        The first batch.

    Raises:
        StopIteration: there are fewer batches.
    """
    size, first = epochs.steps_per_execution, None
    for _ in range(count):
        with epochs.catch_stop_iteration():
            for _, _, batches in epochs:
                batch = _read(batches, size)
                first = batch if first is None else first
    if not step:
        return first
    steps = epochs._enumerate_iterator()
    for _ in range(step // size):
        batch = _read(next(steps)[2], size)
        first = batch if first is None else first

    def rest() -> Iterator[Any]:
        del epochs._enumerate_iterator  # the epochs that follow are read from their start
        return steps

    epochs._enumerate_iterator = rest
    return first


def _read(batches: Iterator[Any], count: int) -> Any:
    """Return the first of the next `count` batches, of which some may be missing at the end."""
    first = next(batches)
    for _ in range(count - 1):
        if next(batches, None) is None:
            break
    return first


def start_at(model: Any, epoch: int | None) -> None:
    """Have the running `fit` start at this epoch; None stands for its `initial_epoch`."""
    model._initial_epoch = epoch


def build(model: Any, batch: Any) -> None:
    """Create what `fit` would create in its first step. Under a strategy, it has done so before."""
    if model._distribute_strategy is None:
        model._symbolic_build(data_batch=batch)


def report_if_no_step(model: Any, logs: dict[str, Any]) -> Callable[[], None]:
    """Have an epoch without a step report `logs`, or the metrics if these have the same names.

    Returns:
        A function that undoes this.
    """
    report = model._get_metrics_result_or_logs
    model._get_metrics_result_or_logs = lambda reported: report(reported or logs)
    return lambda: delattr(model, "_get_metrics_result_or_logs")


def schedule_of(optimizer: Any) -> Schedule | None:
    """Return the schedule of any Keras optimizer, or None if its learning rate is a number."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    rate = getattr(inner, "_learning_rate", None)
    return rate if isinstance(rate, Schedule) else None


def unseeded(dataset: Any) -> str | None:
    """Return an operation whose random numbers differ whenever the dataset is made anew.

    None if there is none, as far as one can tell: functions that call Python hide what they do.
    """
    seeds = [vars(dataset).get(name) for name in ("_seed", "_seed2")]
    if None not in seeds and not any(int(seed) for seed in seeds):
        return type(dataset).__name__.strip("_")
    for function in dataset._functions():
        for operation in function.function.graph.get_operations():
            if _seeds(operation) == [0, 0]:
                return operation.type
    return next(filter(None, map(unseeded, dataset._inputs())), None)


def _seeds(operation: tf.Operation) -> list[int | None]:
    """Return the two seeds of an operation of a graph; None for what it lacks."""
    if operation.type.startswith("ShuffleDataset"):
        return [tf.get_static_value(seed) for seed in operation.inputs[2:4]]
    attributes = operation.node_def.attr
    return [attributes[name].i if name in attributes else None for name in ("seed", "seed2")]


def is_batched(dataset: tf.data.Dataset) -> bool:
    """Return whether the elements of a dataset are batches, as far as one can tell."""
    name = type(dataset).__name__
    if any(part in name for part in ("Unbatch", "FlatMap", "Interleave")):  # which undo batches
        return False
    return "Batch" in name or any(map(is_batched, dataset._inputs()))


def is_autocast(variable: keras.Variable) -> bool:
    """Return whether a layer that computes in half precision casts a variable to it."""
    return variable._autocast


def all_layers(model: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return a model and its layers, nested ones included."""
    return list(model._flatten_layers())


def compiled_loss(model: keras.Model, y: Any, y_pred: Any, sample_weight: Any) -> Any:
    """Return the loss that a model was compiled with, without the penalties of its layers."""
    return model._compile_loss(y, y_pred, sample_weight)


def mask_of(tensor: Any) -> Any:
    """Return the mask that Keras has attached to a tensor; None for none."""
    return masking.get_keras_mask(tensor)


def with_mask_of(tensor: Any, other: Any) -> Any:
    """Return a tensor with the mask that Keras has attached to another one, if it has any."""
    masking.set_keras_mask(tensor, mask_of(other))
    return tensor


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

    def _get_current_learning_rate(self):
        # Keras would call it with the number of micro-batches if it accumulates gradients.
        if self.schedule is not None:
            return self.schedule(self.iterations)
        return super()._get_current_learning_rate()

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
