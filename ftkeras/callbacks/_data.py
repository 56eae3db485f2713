"""The training data of a call of `fit`: its fingerprint, and whether it can be read again."""

import hashlib
import types
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ftkeras.errors import UserError
from ftkeras.support import keras_compat

_VALUES = "values"


def describe(fit: keras_compat.Fit, *, repeated: bool) -> dict[str, Any]:
    """Return the facts that a resumed training compares: JSON types, by the words of the message.

    One batch is read of a dataset; arrays are read completely.

    Args:
        fit: the call of `fit`.
        repeated: whether the next program has the same first batch.
    """
    epochs, is_arrays = fit.epochs, _is_arrays(fit)
    return {
        "`x`": _kind(fit),
        "`steps_per_epoch`": epochs.steps_per_epoch,
        "`steps_per_execution`": epochs.steps_per_execution,
        "the number of batches": epochs.num_batches,
        "`batch_size`": epochs.data_adapter.batch_size if is_arrays else None,
        "the shapes and types": str(fit.dataset().element_spec),
        _VALUES: _fingerprint(_sample(fit)) if is_arrays or repeated else None,
    }


def compare(here: dict[str, Any], there: dict[str, Any], source: Any) -> None:
    """Raise UserError unless two descriptions are equal.

    Args:
        here: of this training.
        there: of the interrupted training.
        source: the folder of the checkpoint, for the message.
    """
    differences = [
        f"{words}={here[words]} ({there[words]} there)"
        for words in here
        if words != _VALUES and here[words] != there[words]
    ]
    if not differences and here[_VALUES] != there[_VALUES]:
        differences = [f"{here['`x`']} of other values, or in an order that another seed gave"]
    if differences:
        raise UserError(
            f"`backup_dir`: {source} belongs to a training on other data; here: "
            f"{', '.join(differences)}. Pass the same arguments, with data made anew from the "
            "same seed, or remove the folder to start again."
        )


def cannot_repeat(fit: keras_compat.Fit) -> str | None:
    """Return why a program that starts again would read other batches; None if it would not."""
    if _kind(fit) not in ("arrays", "a tf.data.Dataset", "a PyDataset", "a generator"):
        return f"the order of {_kind(fit)} is not known"
    if isinstance(fit.data[0], keras.utils.PyDataset | types.GeneratorType):
        return None  # read again with the random states of Python and NumPy
    dataset = fit.dataset()
    if not isinstance(dataset, tf.data.Dataset):  # a strategy has distributed it
        dataset = fit.epochs.data_adapter.get_tf_dataset()
    if not isinstance(dataset, tf.data.Dataset):
        return None
    if dataset.options().deterministic is False:
        return "its options have deterministic=False"
    operation = keras_compat.unseeded(dataset)
    return None if operation is None else f"{operation} has no seed"


def _kind(fit: keras_compat.Fit) -> str:
    x = fit.data[0]
    if isinstance(x, tf.data.Dataset | tf.distribute.DistributedDataset):
        return "a tf.data.Dataset"
    if isinstance(x, keras.utils.PyDataset):
        return "a PyDataset"
    if isinstance(x, types.GeneratorType):
        return "a generator"
    return "arrays" if _is_arrays(fit) else f"a {type(x).__name__}"


def _is_arrays(fit: keras_compat.Fit) -> bool:
    arrays = [one for one in tf.nest.flatten(fit.data) if one is not None]
    return all(hasattr(one, "shape") for one in arrays)  # frames too, which have several types


def _sample(fit: keras_compat.Fit) -> Iterable[Any]:
    """Return values that identify the data."""
    x = fit.data[0]
    if isinstance(x, tf.data.Dataset):
        return tf.nest.flatten(next(iter(x), ()), expand_composites=True)
    if isinstance(x, keras.utils.PyDataset):
        return tf.nest.flatten(x[0], expand_composites=True)
    return tf.nest.flatten(fit.data, expand_composites=True) if _is_arrays(fit) else ()


def _fingerprint(values: Iterable[Any]) -> str:
    content = hashlib.sha256()
    for value in values:
        array = np.asarray(value)
        content.update(f"{array.dtype} {array.shape}|".encode())
        if array.dtype.hasobject:
            content.update(repr(array.tolist()).encode())
        else:
            flat: Any = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
            content.update(flat)
    return content.hexdigest()
