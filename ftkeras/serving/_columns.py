"""Turn the arguments of a client's call into arrays, without changing a value on the way."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np


def to_columns(inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return inputs as arrays of equal length.

    Strings become objects. Integers in lists become int32 if they fit: a list does not say its
    type, and gRPC, unlike REST, needs the signature's; ftkeras' signatures take int32.

    Raises:
        TypeError: A list mixes strings with other values.
        ValueError: There are no inputs, an input is not [batch, …], or they differ in length.
    """
    if not inputs:
        raise ValueError("A call needs at least one input.")
    columns = {name: _to_array(name, value) for name, value in inputs.items()}
    for name, column in columns.items():
        if column.ndim == 0:
            raise ValueError(f"`{name}` must be a list or an array. Received: {inputs[name]!r}.")
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(f"All inputs must have the same length. Received: {listed}.")
    return columns


def _to_array(name: str, value: Any) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return value.astype(object) if value.dtype.kind in "US" else value
    array = np.asarray(value)
    if array.dtype.kind in "USO":
        # NumPy would turn 3 in ["a", 3] into "3", and drop the NUL from the end of "a\0".
        for position, leaf in _leaves(value, name):
            if not isinstance(leaf, (str, bytes)):
                raise TypeError(
                    f"{position} must be a string, as others in `{name}` are. Received: {leaf!r}."
                )
        return np.array(value, dtype=object)
    narrow = array.astype(np.int32) if array.dtype == np.int64 else array
    return narrow if (narrow == array).all() else array


def _leaves(value: Any, position: str) -> Iterator[tuple[str, Any]]:
    """Yield the innermost values of a nested list, each with its position, such as `text[2]`."""
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{position}[{index}]")
    else:
        yield position, value


def stack(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Concatenate rows; pad narrower arrays, as they would have been in one batch."""
    widest = np.max([array.shape[1:] for array in arrays], axis=0)
    return np.concatenate([_pad(array, widest) for array in arrays])


def _pad(array: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Pad each row to a shape, with zeros or empty strings of the array's own kind."""
    missing = [(0, wide - own) for wide, own in zip(shape, array.shape[1:], strict=True)]
    empty: Any = 0
    if array.dtype == object:
        is_text = any(isinstance(value, str) for value in array.ravel()[:1])
        empty = "" if is_text else b""
    return np.pad(array, [(0, 0), *missing], constant_values=empty)
