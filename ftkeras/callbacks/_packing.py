"""Python values as JSON types and arrays, which a checkpoint can hold."""

from typing import Any

import numpy as np
import tensorflow as tf

# First part of the names of packed arrays.
PACKED = "facts"
_PLAIN = (bool, int, float, str)


def pack(value: Any, name: str, tensors: dict[str, np.ndarray]) -> Any:
    """Return a value as JSON types, from which `unpack` makes an equal value.

    Args:
        value: numbers, strings, None, arrays; lists, tuples and dicts of these.
        name: the name under which arrays are put into `tensors`.
        tensors: receives the arrays.

    Raises:
        TypeError: the value holds something else.
    """
    if hasattr(value, "__array__"):  # before float, which a NumPy scalar is as well
        array = np.asarray(value)
        if array.dtype.kind in "OSUMm":
            raise TypeError(f"{name} is an array of {array.dtype}")
        tensors[f"{PACKED}/{name}"] = storable(array)
        return {"array": f"{PACKED}/{name}", "dtype": str(array.dtype)}
    if value is None or type(value) in _PLAIN:
        return value
    if type(value) in (list, tuple):
        items = [pack(item, f"{name}/{n}", tensors) for n, item in enumerate(value)]
        return {type(value).__name__: items}
    if type(value) is dict:
        pairs = enumerate(value.items())
        return {"dict": [pack(pair, f"{name}/{n}", tensors) for n, pair in pairs]}
    raise TypeError(f"{name} is of type {type(value).__name__}")


def unpack(packed: Any, tensors: dict[str, np.ndarray]) -> Any:
    """Return the value that was packed."""
    if not isinstance(packed, dict):
        return packed
    if "array" in packed:
        return restored(tensors[packed["array"]], packed["dtype"])
    ((kind, items),) = packed.items()
    made = {"list": list, "tuple": tuple, "dict": dict}[kind]
    return made(unpack(item, tensors) for item in items)


def storable(array: np.ndarray) -> np.ndarray:
    """Return an array whose type NumPy's own files know; bfloat16 and float8 become integers."""
    return array if array.dtype.kind in "biufc" else array.view(f"u{array.dtype.itemsize}")


def restored(array: np.ndarray, dtype: str) -> np.ndarray:
    """Return the array of this type that was made storable."""
    return array.view(tf.as_dtype(dtype).as_numpy_dtype)
