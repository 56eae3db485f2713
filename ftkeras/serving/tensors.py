"""A predict request's JSON to tensors, as TensorFlow Serving's REST API has it.

Rows are `"instances"`, one value or object an example; columns `"inputs"`, one array a name.

Source: https://www.tensorflow.org/tfx/serving/api_rest; what that leaves open is as
tensorflow/serving's util/json_tensor.cc does it.
"""

from dataclasses import dataclass

import numpy as np

from ftkeras.serving.answers import COLUMNS, ROWS
from ftkeras.serving.documents import encoded, from_base64, is_base64, kind, shown
from ftkeras.serving.refused import Refused, invalid

RANK = 64  # of an array at most


@dataclass(frozen=True)
class Tensor:
    """What a signature says of one of its tensors.

    Attributes:
        dtype: TensorFlow's name for it: `string`, `int32`, `float`, …
        shape: sizes, -1 for one that is free; None where even the rank is.
    """

    dtype: str
    shape: tuple[int, ...] | None


def decode(document: dict, inputs: dict[str, Tensor]) -> tuple[dict[str, np.ndarray], str]:
    """A predict request's tensors by name, and the form that its answer has."""
    if "instances" in document and "inputs" in document:
        raise invalid(
            f"JSON Value: {shown(document)} Not formatted correctly expecting only one of "
            "'inputs' or 'instances' keys to exist "
        )
    if "instances" in document:
        return _from_rows(document, inputs), ROWS
    if "inputs" in document:
        return _from_columns(document["inputs"], inputs), COLUMNS
    raise invalid("Missing 'inputs' or 'instances' key")


def _from_rows(document: dict, inputs: dict[str, Tensor]) -> dict[str, np.ndarray]:
    rows = document["instances"]
    if not isinstance(rows, list):
        raise invalid(f"JSON Value: {shown(document)} Excepting 'instances' to be an list/array")
    if not rows:
        raise invalid(f"JSON Value: {shown(document)} No values in 'instances' array")
    objects = isinstance(rows[0], dict) and not is_base64(rows[0])
    if not objects and len(inputs) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map"
        )
    collected = {name: _Stack(tensor) for name, tensor in inputs.items()}
    for place, row in enumerate(rows):
        if (isinstance(row, dict) and not is_base64(row)) != objects:
            wanted, got = ("object", "list") if objects else ("value/list", "object")
            raise invalid(f"Expecting {wanted} but got {got} at item {place} of input list")
        _add_row(collected, row if objects else {next(iter(inputs)): row}, place, named=objects)
    return {name: stack.array() for name, stack in collected.items()}


def _add_row(collected: dict, row: dict, place: int, *, named: bool) -> None:
    for name, value in row.items():
        key = f" key: {name}" if named else ""
        try:
            if name not in collected:
                raise invalid(f"JSON object: does not have named input: {name}")
            collected[name].add(value)
        except Refused as error:
            raise invalid(
                f"Failed to process element: {place}{key} of 'instances' list. Error: "
                f"INVALID_ARGUMENT: {error}"
            ) from None
    if len(row) < len(collected):
        raise invalid(
            f"Failed to process element: {place} of 'instances' list. JSON object: {shown(row)} "
            f"must only have keys: {','.join(sorted(collected))}"
        )


def _from_columns(value, inputs: dict[str, Tensor]) -> dict[str, np.ndarray]:
    if not isinstance(value, dict) or is_base64(value):
        if len(inputs) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                "required as per tensorinfo_map"
            )
        value = {next(iter(inputs)): value}
    for name in inputs:
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: _array(value[name], tensor) for name, tensor in inputs.items()}


class _Stack:
    """Values of one shape, that together are one tensor."""

    def __init__(self, tensor: Tensor):
        self.dtype, self.shape, self.values, self.count = tensor.dtype, None, [], 0

    def add(self, value) -> None:
        shape, before = _shape(value), len(self.values)
        _fill(value, 0, shape, self.dtype, self.values)
        self.count += 1
        if self.shape is None:
            self.shape = shape
        elif np.prod(self.shape) != len(self.values) - before:
            raise invalid(
                f"Expecting tensor size: {int(np.prod(self.shape))} but got: "
                f"{len(self.values) - before}"
            )
        elif self.shape != shape:
            raise invalid(f"Expecting shape {_listed(self.shape)} but got: {_listed(shape)}")

    def array(self) -> np.ndarray:
        return _made(self.values, (self.count, *self.shape), self.dtype)


def _array(value, tensor: Tensor) -> np.ndarray:
    values: list = []
    shape = _shape(value)
    _fill(value, 0, shape, tensor.dtype, values)
    return _made(values, shape, tensor.dtype)


def _made(values: list, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    flat = np.empty(len(values), object if dtype == "string" else _NUMPY[dtype])
    flat[:] = values
    return flat.reshape(shape)


def _shape(value) -> tuple[int, ...]:
    """The shape that the first element of each list tells."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    if len(shape) > RANK:
        raise invalid(f"A tensor has at most {RANK} dimensions. Received: {len(shape)}.")
    return tuple(shape)


def _fill(value, level: int, shape: tuple[int, ...], dtype: str, values: list) -> None:
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid(
                f"JSON Value: {shown(value)} found at incorrect level: {level + 1} in the JSON "
                f"DOM. Expected at level: {len(shape)}"
            )
        values.append(_leaf(value, dtype))
        return
    if level >= len(shape):
        raise invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: "
            f"{shape[level]}"
        )
    for item in value:
        _fill(item, level + 1, shape, dtype, values)


_NUMPY = {
    **{"float": np.float32, "double": np.float64, "bool": np.bool_},
    **{name: np.dtype(name) for name in ("int8", "int16", "int32", "int64")},
    **{name: np.dtype(name) for name in ("uint8", "uint16", "uint32", "uint64")},
}


def _leaf(value, dtype: str):
    """One value of a tensor, if JSON's type and range fit the tensor's."""
    if dtype == "string":
        if isinstance(value, dict):
            if not is_base64(value):
                raise invalid(f"JSON Value: {shown(value)} not formatted correctly for base64 data")
            return from_base64(value)
        if isinstance(value, str):
            return encoded(value)
    elif dtype == "bool":
        if isinstance(value, bool):
            return value
    elif dtype in ("float", "double"):
        if type(value) in (int, float):
            return _float(value, dtype)
    elif dtype not in _NUMPY:
        raise Refused("UNIMPLEMENTED", f"Conversion of JSON Value: {shown(value)} to type: {dtype}")
    elif type(value) is int:
        bounds = np.iinfo(_NUMPY[dtype])
        if bounds.min <= value <= bounds.max:
            return value
    raise invalid(
        f"JSON Value: {shown(value)} Type: {kind(value)} is not of expected type: {dtype}"
    )


def _float(value: float, dtype: str) -> float:
    try:
        wide = float(value)
        with np.errstate(over="ignore"):
            lost = np.isinf(_NUMPY[dtype](wide)) and abs(wide) != float("inf")
    except OverflowError:  # an integer beyond every float
        lost = True
    if lost:
        raise invalid(
            f"Cannot convert JSON value: {shown(value)} to {dtype} without loss of precision."
        )
    return wide


def _listed(shape: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, shape))}]"
