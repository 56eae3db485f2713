"""All variables on which the training of a Keras model depends."""

import re
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from ftkeras.callbacks._packing import PACKED, restored, storable
from ftkeras.errors import UserError
from ftkeras.support import keras_compat
from ftkeras.support.in_keras import applied_to
from ftkeras.training.protocols import HasVariables

# First parts of names. Metrics start from scratch in each epoch, and what draws random numbers for
# layers without a seed of their own may not exist yet.
METRICS, GLOBAL_SEED = "metrics", "global_seed"
_GENERATOR = "global_seed_generator"


def of_training(model: Any, callbacks: Mapping[str, Any]) -> dict[str, keras.Variable]:
    """Return the variables of a model, its optimizers, regularizers and callbacks.

    Args:
        model: a compiled model.
        callbacks: those that may have variables, by unique names.

    Returns:
        The variables by names that are the same when a program makes everything anew. Their paths
        are not: Keras adds numbers to the names of layers, such as dense_3, and the first part of
        a path depends on whether a step or `build` made the variable.
    """
    optimizers = _optimizers(vars(model))
    schedules = [keras_compat.schedule_of(one) for one in optimizers]
    generator = keras_compat.seed_state()[_GENERATOR]
    groups = {
        "model": model.variables,
        **{f"optimizer-{n}": one.variables for n, one in enumerate(optimizers)},
        **{f"schedule-{n}": _of(one) for n, one in enumerate(schedules)},
        **{f"regularizer-{n}": _of(one) for n, one in enumerate(applied_to(model))},
        **{f"callback-{name}": _of(one) for name, one in callbacks.items()},
        METRICS: model.metrics_variables,
        GLOBAL_SEED: [] if generator is None else [generator.state],
    }
    return {
        f"{group}/{number}/{_stable(variable.name)}": variable
        for group, variables in groups.items()
        for number, variable in enumerate(variables)
    }


def values(variables: Mapping[str, keras.Variable]) -> dict[str, np.ndarray]:
    """Return the values of variables, as a checkpoint saves them."""
    return {name: storable(np.asarray(one.numpy())) for name, one in variables.items()}


def restore(
    variables: Mapping[str, keras.Variable],
    tensors: Mapping[str, np.ndarray],
    *,
    metrics: bool,
    source: Any,
) -> None:
    """Give variables the values that a checkpoint saved.

    Args:
        variables: what `of_training` returns.
        tensors: the tensors of the checkpoint.
        metrics: whether metrics are restored.
        source: the checkpoint, for the message.

    Raises:
        UserError: if the variables are others than those of the checkpoint.
    """
    ignored = (PACKED, GLOBAL_SEED, *(() if metrics else (METRICS,)))
    there, here = (
        {name for name in names if name.partition("/")[0] not in ignored}
        for names in (tensors, variables)
    )
    differences = [f"{name} is only there" for name in sorted(there - here)]
    differences += [f"{name} is only here" for name in sorted(here - there)]
    differences += [
        f"{name} is {tuple(variables[name].shape)} here and {tensors[name].shape} there"
        for name in sorted(here & there)
        if tuple(variables[name].shape) != tensors[name].shape
    ]
    if differences:
        raise UserError(
            f"`backup_dir`: {source} holds another model, optimizer or averages: "
            f"{differences[0]}{_and_more(len(differences) - 1)}. Build the same as before, or "
            "remove the folder to start again."
        )
    for name in here:
        _assign(variables[name], tensors[name])
    for name in (one for one in tensors if one.startswith(GLOBAL_SEED)):
        _assign(_global_seed(), tensors[name])


def _optimizers(value: Any) -> list[keras.optimizers.Optimizer]:
    """Return each optimizer once, also those in lists, tuples and dicts."""
    if isinstance(value, keras.optimizers.Optimizer):
        return [value]
    # Not by `keras.tree.flatten`: it sorts the keys of dicts, and those of Keras may be layers.
    parts = list(value.values()) if isinstance(value, Mapping) else value
    if not isinstance(parts, list | tuple):
        return []
    return list({id(one): one for part in parts for one in _optimizers(part)}.values())


def _of(thing: Any) -> list[keras.Variable]:
    return thing.variables if isinstance(thing, HasVariables) else []


def _stable(name: str) -> str:
    return re.sub(r"_\d+(?=_|$)", "", name)


def _assign(variable: keras.Variable, value: np.ndarray) -> None:
    variable.assign(restored(value, variable.dtype))


def _global_seed() -> keras.Variable:
    """Return the state of Keras's global generator of seeds, which is made if there is none."""
    state = keras_compat.seed_state()
    if state[_GENERATOR] is None:
        state[_GENERATOR] = keras.random.SeedGenerator(seed=0)
        keras_compat.set_seed_state(state)
    return state[_GENERATOR].state


def _and_more(count: int) -> str:
    return f", and {count} more" if count else ""
