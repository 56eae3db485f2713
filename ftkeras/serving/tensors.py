"""Decode the JSON of a predict request to tensors, as TensorFlow Serving's REST API defines it.

Rows are in `"instances"`, one value or object for each example; columns are in `"inputs"`, one
array for each name.

Source: https://www.tensorflow.org/tfx/serving/api_rest; details that it leaves open follow
tensorflow/serving's util/json_tensor.cc.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ftkeras.serving.errors import RequestError, invalid_argument
from ftkeras.serving.request_json import from_base64, is_base64, quote, to_bytes, type_name
from ftkeras.serving.responses import COLUMNS, ROWS

MAX_RANK = 63  # of a value; the rows of a batch are another dimension, and NumPy takes 64
_NUMPY = {
    **{"float": np.float32, "double": np.float64, "bool": np.bool_},
    **{name: np.dtype(name) for name in ("int8", "int16", "int32", "int64")},
    **{name: np.dtype(name) for name in ("uint8", "uint16", "uint32", "uint64")},
}


@dataclass(frozen=True)
class Tensor:
    """The type and shape of a tensor in a signature.

    Attributes:
        dtype: TensorFlow's name of the type: `string`, `int32`, `float`, …
        shape: Sizes, -1 for a dimension of any size; None if even the rank is unknown.
    """

    dtype: str
    shape: tuple[int, ...] | None


def decode(document: dict, inputs: dict[str, Tensor]) -> tuple[dict[str, np.ndarray], str]:
    """Return a predict request's tensors by name, and the form of its response, ROWS or COLUMNS.

    Args:
        document: The request's JSON object.
        inputs: The signature's inputs by name.

    Raises:
        RequestError: The JSON does not describe these inputs.
    """
    if "instances" in document and "inputs" in document:
        raise invalid_argument(
            f"JSON Value: {quote(document)} Not formatted correctly expecting only one of "
            "'inputs' or 'instances' keys to exist "
        )
    if "instances" in document:
        return _decode_rows(document, inputs), ROWS
    if "inputs" in document:
        return _decode_columns(document["inputs"], inputs), COLUMNS
    raise invalid_argument("Missing 'inputs' or 'instances' key")


def _decode_rows(document: dict, inputs: dict[str, Tensor]) -> dict[str, np.ndarray]:
    rows = document["instances"]
    if not isinstance(rows, list):
        raise invalid_argument(
            f"JSON Value: {quote(document)} Excepting 'instances' to be an list/array"
        )
    if not rows:
        raise invalid_argument(f"JSON Value: {quote(document)} No values in 'instances' array")
    named = _has_names(rows[0])
    if not named and len(inputs) > 1:
        raise invalid_argument(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map"
        )
    columns = {name: _Column(tensor) for name, tensor in inputs.items()}
    for index, row in enumerate(rows):
        if _has_names(row) != named:
            wanted, got = ("object", "list") if named else ("value/list", "object")
            raise invalid_argument(
                f"Expecting {wanted} but got {got} at item {index} of input list"
            )
        _add_row(columns, row if named else {next(iter(inputs)): row}, index, named=named)
    return {name: column.array() for name, column in columns.items()}


def _has_names(row: Any) -> bool:
    """Return whether a row is an object of named values, rather than one bare value."""
    return isinstance(row, dict) and not is_base64(row)


def _add_row(columns: dict[str, "_Column"], row: dict, index: int, *, named: bool) -> None:
    for name, value in row.items():
        key = f" key: {name}" if named else ""
        try:
            if name not in columns:
                raise invalid_argument(f"JSON object: does not have named input: {name}")
            columns[name].add(value)
        except RequestError as error:
            raise invalid_argument(
                f"Failed to process element: {index}{key} of 'instances' list. Error: "
                f"INVALID_ARGUMENT: {error}"
            ) from None
    if len(row) < len(columns):
        raise invalid_argument(
            f"Failed to process element: {index} of 'instances' list. JSON object: {quote(row)} "
            f"must only have keys: {','.join(sorted(columns))}"
        )


def _decode_columns(value: Any, inputs: dict[str, Tensor]) -> dict[str, np.ndarray]:
    if not _has_names(value):
        if len(inputs) > 1:
            raise invalid_argument(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                "required as per tensorinfo_map"
            )
        value = {next(iter(inputs)): value}
    for name in inputs:
        if name not in value:
            raise invalid_argument(f"Missing named input: {name} in 'inputs' object.")
    return {name: _decode_array(value[name], tensor) for name, tensor in inputs.items()}


class _Column:
    """Collect one input's values, one row after the other; all must have the same shape."""

    def __init__(self, tensor: Tensor):
        self.dtype, self.count = tensor.dtype, 0
        self.values: list = []
        self.shape: tuple[int, ...] | None = None

    def add(self, value: Any) -> None:
        shape, before = _shape(value), len(self.values)
        _flatten(value, 0, shape, self.dtype, self.values)
        self.count += 1
        if self.shape is None:
            self.shape = shape
        elif np.prod(self.shape) != len(self.values) - before:
            raise invalid_argument(
                f"Expecting tensor size: {int(np.prod(self.shape))} but got: "
                f"{len(self.values) - before}"
            )
        elif self.shape != shape:
            raise invalid_argument(
                f"Expecting shape {_show_shape(self.shape)} but got: {_show_shape(shape)}"
            )

    def array(self) -> np.ndarray:
        return _to_array(self.values, (self.count, *(self.shape or ())), self.dtype)


def _decode_array(value: Any, tensor: Tensor) -> np.ndarray:
    values: list = []
    shape = _shape(value)
    _flatten(value, 0, shape, tensor.dtype, values)
    return _to_array(values, shape, tensor.dtype)


def _to_array(values: list, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    flat = np.empty(len(values), object if dtype == "string" else _NUMPY[dtype])
    flat[:] = values
    return flat.reshape(shape)


def _shape(value: Any) -> tuple[int, ...]:
    """Return the shape of nested lists, judged by the first element of each."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    if len(shape) > MAX_RANK:
        raise invalid_argument(
            f"A tensor has at most {MAX_RANK} dimensions. Received: {len(shape)}."
        )
    return tuple(shape)


def _flatten(value: Any, level: int, shape: tuple[int, ...], dtype: str, values: list) -> None:
    """Append the leaves of nested lists to `values`, checking that every list fits the shape."""
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid_argument(
                f"JSON Value: {quote(value)} found at incorrect level: {level + 1} in the JSON "
                f"DOM. Expected at level: {len(shape)}"
            )
        values.append(_convert(value, dtype))
        return
    if level >= len(shape):
        raise invalid_argument(
            f"Encountered list at unexpected level: {level} expected < {len(shape)}"
        )
    if len(value) != shape[level]:
        raise invalid_argument(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: "
            f"{shape[level]}"
        )
    for item in value:
        _flatten(item, level + 1, shape, dtype, values)


def _convert(value: Any, dtype: str) -> Any:
    """Return a JSON value as an element of a tensor, if its type and range fit.

    Raises:
        RequestError: They do not.
    """
    if dtype == "string":
        if isinstance(value, dict):
            if not is_base64(value):
                raise invalid_argument(
                    f"JSON Value: {quote(value)} not formatted correctly for base64 data"
                )
            return from_base64(value)
        if isinstance(value, str):
            return to_bytes(value)
    elif dtype == "bool":
        if isinstance(value, bool):
            return value
    elif dtype in ("float", "double"):
        if type(value) in (int, float):
            return _to_float(value, dtype)
    elif dtype not in _NUMPY:
        raise RequestError(
            "UNIMPLEMENTED", f"Conversion of JSON Value: {quote(value)} to type: {dtype}"
        )
    elif type(value) is int:
        bounds = np.iinfo(_NUMPY[dtype])
        if bounds.min <= value <= bounds.max:
            return value
    raise invalid_argument(
        f"JSON Value: {quote(value)} Type: {type_name(value)} is not of expected type: {dtype}"
    )


def _to_float(value: float, dtype: str) -> float:
    try:
        number = float(value)
        with np.errstate(over="ignore"):
            overflows = np.isinf(_NUMPY[dtype](number)) and abs(number) != float("inf")
    except OverflowError:  # an integer beyond every float
        overflows = True
    if overflows:
        raise invalid_argument(
            f"Cannot convert JSON value: {quote(value)} to {dtype} without loss of precision."
        )
    return number


def _show_shape(shape: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, shape))}]"
