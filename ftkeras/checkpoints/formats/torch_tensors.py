"""Names that the pickle of a PyTorch state dict may contain, and the tensors it describes."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, NoReturn

from ftkeras.checkpoints.formats.base import shown

MOST_DIMENSIONS = 32
# The bytes of a number, by the name of its PyTorch type.
SIZES = {
    **{"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2},
    **{"int64": 8, "int32": 4, "int16": 2, "int8": 1},
    **{"uint64": 8, "uint32": 4, "uint16": 2, "uint8": 1, "bool": 1},
}
STORAGES = {
    "torch.DoubleStorage": "float64",
    "torch.FloatStorage": "float32",
    "torch.HalfStorage": "float16",
    "torch.BFloat16Storage": "bfloat16",
    "torch.LongStorage": "int64",
    "torch.IntStorage": "int32",
    "torch.ShortStorage": "int16",
    "torch.CharStorage": "int8",
    "torch.ByteStorage": "uint8",
    "torch.BoolStorage": "bool",
    "torch.storage.UntypedStorage": "uint8",
}
TYPES = {f"torch.{name}": name for name in SIZES}


class RefusedError(Exception):
    """Report a pickle that is not that of a plain state dict."""


@dataclasses.dataclass(frozen=True)
class Name:
    """A module's attribute that a pickle names. It is in the allow-list, and is not imported."""

    text: str


@dataclasses.dataclass(frozen=True)
class Storage:
    """A sequence of numbers of one type, which tensors view.

    Attributes:
        key: names its record in the file; of digits.
        dtype: the name of its type, a key of `SIZES`.
        count: how many numbers it has.
    """

    key: str
    dtype: str
    count: int

    @property
    def size(self) -> int:
        """The bytes that it takes."""
        return self.count * SIZES[self.dtype]


@dataclasses.dataclass(frozen=True)
class TensorView:
    """A tensor: a view of a storage, known to lie within it.

    Attributes:
        storage: what it views.
        dtype: the name of its type, a key of `SIZES`.
        start: the index of its first number, counted in numbers of `dtype`.
        shape: of the tensor.
        strides: numbers between neighbours along each axis; not negative.
    """

    storage: Storage
    dtype: str
    start: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def span(self) -> int:
        """The numbers from its first to its last."""
        if not math.prod(self.shape):
            return 0
        return 1 + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))


def refuse(why: str) -> NoReturn:
    """Raise a RefusedError. The reason completes "it is not a plain state dict: …"."""
    raise RefusedError(why) from None


def kind(value: Any) -> str:
    """Return a value's kind, for a message; the value itself may be of any size."""
    if isinstance(value, Name):
        return value.text
    kinds = {dict: "a dictionary", Storage: "a storage", TensorView: "a tensor", type(None): "None"}
    kinds |= {int: "a number", str: "a string"}
    return kinds.get(type(value), f"a {type(value).__name__}")


def to_storage(reference: Any) -> Storage:
    """Return the storage that a persistent id of a pickle means.

    Raises:
        RefusedError: it means anything else.
    """
    match reference:
        case ("storage", Name(text), str(key), str(), int(count), *view) if (
            text in STORAGES and view in ([], [None])
        ):
            if not (key.isascii() and key.isdigit()) or isinstance(count, bool) or count < 0:
                refuse(f"its pickle has a storage {shown(key)} of {shown(count)} numbers")
            return Storage(key, STORAGES[text], count)
    refuse(f"its pickle refers to {kind(reference)} where a storage is expected")


def _ordered(items: Any = ()) -> dict[str, Any]:
    """Return an ordered dictionary, whose items Python 2 writes as a list of lists."""
    made: dict[str, Any] = {}
    for item in items if isinstance(items, list | tuple) else (None,):
        if not isinstance(item, list) or len(item) != 2 or not isinstance(item[0], str):
            refuse(f"it makes a dictionary of {kind(items)} that has no names")
        made[item[0]] = item[1]
    return made


def _rebuild(storage: Any, start: Any, shape: Any, strides: Any, *_: Any) -> TensorView:
    if not isinstance(storage, Storage):
        refuse(f"it has a tensor whose numbers are {kind(storage)}")
    return _view(storage, storage.dtype, start, shape, strides)


def _rebuild_typed(
    storage: Any, start: Any, shape: Any, strides: Any, _: Any, __: Any, dtype: Any, *___: Any
) -> TensorView:
    if not isinstance(storage, Storage) or storage.dtype != "uint8":
        refuse(f"it has a tensor whose bytes are {kind(storage)}")
    if not isinstance(dtype, Name) or dtype.text not in TYPES:
        refuse(f"it has a tensor whose type is {kind(dtype)}")
    return _view(storage, TYPES[dtype.text], start, shape, strides)


def _view(storage: Storage, dtype: str, start: Any, shape: Any, strides: Any) -> TensorView:
    if not _are_counts((start,)) or not _are_counts(shape) or not _are_counts(strides):
        refuse("it has a tensor whose start, shape or strides are not numbers from 0 on")
    if len(shape) != len(strides) or len(shape) > MOST_DIMENSIONS:
        refuse(f"it has a tensor with {len(shape)} dimensions and {len(strides)} strides")
    view = TensorView(storage, dtype, start, shape, strides)
    count = storage.size // SIZES[dtype]
    if start + view.span > count or math.prod(shape) > count:
        refuse(
            f"it has a tensor of shape {shown(shape)} that does not lie within its storage of "
            f"{shown(count)} numbers"
        )
    return view


def _are_counts(values: Any) -> bool:
    return isinstance(values, tuple) and all(type(n) is int and 0 <= n < 1 << 63 for n in values)


def _parameter(tensor: Any, *_: Any) -> TensorView:
    if not isinstance(tensor, TensorView):
        refuse(f"it has a parameter that is {kind(tensor)}")
    return tensor


# Each name that may be called: what stands for it, and how many arguments PyTorch gives to it.
CALLS: dict[str, tuple[Callable[..., Any], int, int]] = {
    "collections.OrderedDict": (_ordered, 0, 1),
    "torch._utils._rebuild_tensor": (_rebuild, 4, 4),
    "torch._utils._rebuild_tensor_v2": (_rebuild, 6, 7),
    "torch._utils._rebuild_tensor_v3": (_rebuild_typed, 7, 8),
    "torch._utils._rebuild_parameter": (_parameter, 3, 3),
}


def is_known(name: str) -> bool:
    """Return whether a pickle may name this attribute of a module."""
    return name in CALLS or name in STORAGES or name in TYPES
