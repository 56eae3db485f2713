"""Weights in `tf_model.h5`, which TensorFlow classes of transformers wrote until version 4.57."""

import contextlib
import math
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ftkeras.checkpoints.formats.base import Format, damaged, shown
from ftkeras.checkpoints.formats.tf_names import is_transposed, torch_name
from ftkeras.errors import UserError

KIND = "a tf_model.h5 of transformers"
TYPES = ("float16", "float32", "float64", "int32", "int64")


class H5File:
    """A `tf_model.h5`, whole or a shard, which is opened for each access.

    Data in other files and compressed data are refused, and links are not followed, so that a file
    can neither read other files nor need more memory than its own size.

    Args:
        path: of the file.

    Attributes:
        shapes: the shape of each tensor, by its PyTorch name.

    Raises:
        UserError: it is damaged or refused.
    """

    def __init__(self, path: pathlib.Path):
        self._path = path
        self._variables: dict[str, str] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        with _opened(path) as file:
            # Links, soft or to other files, are not visited.
            file.visititems(self._add)

    def _add(self, place: str, item: Any) -> None:
        import h5py

        if not isinstance(item, h5py.Dataset):
            return
        self._check(place, item)
        name = torch_name(_variable(place))
        if name in self._variables:
            raise ValueError(f"it has the tensor {name} twice")
        self._variables[name] = place
        self.shapes[name] = _shape(name, place, item.shape)

    def _check(self, place: str, item: Any) -> None:
        why = None
        if item.dtype.name not in TYPES:
            why = f"numbers of type {item.dtype}"
        elif item.external or item.is_virtual:
            why = "data in another file"
        elif item.chunks is not None or item.id.get_storage_size() != item.nbytes:
            why = "compressed or missing data"
        if why:
            raise UserError(f"`encoder`: {self._path} is refused: {shown(place)} has {shown(why)}")

    def read(self, name: str) -> np.ndarray:
        """Return one tensor; half precision is returned as float32."""
        place = self._variables[name]
        with _opened(self._path) as file:
            value = file[place][()]
        value = (value.T if is_transposed(place) else value).reshape(self.shapes[name])
        return value.astype("float32") if value.dtype == "float16" else value


def _shape(name: str, place: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of a variable in PyTorch; GPT-2's biases are rows of a matrix here."""
    if name.endswith(".bias"):
        return (math.prod(shape),) if len(shape) == 2 else shape
    return shape[::-1] if is_transposed(place) else shape


@contextlib.contextmanager
def _opened(path: pathlib.Path) -> Iterator[Any]:
    """Open an HDF5 file. Its library's errors, which are of many kinds, become a UserError."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise damaged(path, KIND, shown(error)) from None


def _variable(place: str) -> str:
    """Return a variable's name from its place in a file, which has its layer and model before it.

    >>> _variable("bert/tf_bert_model/bert/pooler/dense/bias:0")
    'bert/pooler/dense/bias:0'
    >>> _variable("classifier/classifier/bias:0")
    'classifier/bias:0'
    >>> _variable("encoder/layer_._0/output/dense/bias:0")  # of a shard
    'encoder/layer_._0/output/dense/bias:0'
    """
    layer, *rest = place.split("/")
    return "/".join(rest[rest.index(layer) :]) if layer in rest else place


H5 = Format(
    file="tf_model.h5",
    open=H5File,
    index="tf_model.h5.index.json",
    index_has_names=False,
    parts=("tf_model*.h5", "tf_model.h5.index.json"),
)
