"""Weights in safetensors files."""

import pathlib
import re
from typing import Any

import numpy as np

from ftkeras.checkpoints.formats.base import Format, damaged
from ftkeras.errors import UserError

HALVES = ("float16", "bfloat16")
# safetensors' names of types that NumPy lacks: floating-point numbers of 8 bits or fewer.
UNREAD = re.compile(r"F(4|[68]_)")


class SafetensorsFile:
    """A safetensors file, which is opened for each access.

    Args:
        path: of the file.

    Attributes:
        shapes: the shape of each tensor, by name.

    Raises:
        UserError: it is missing or damaged.
    """

    def __init__(self, path: pathlib.Path):
        self._path = path
        with _open(path) as file:
            names = list(file.keys())
            self.shapes = {name: tuple(file.get_slice(name).get_shape()) for name in names}

    def read(self, name: str) -> np.ndarray:
        """Return one tensor; half precision is returned as float32."""
        with _open(self._path) as file:
            if UNREAD.match(kind := file.get_slice(name).get_dtype()):
                raise UserError(
                    f"`encoder`: tensor {name} of {self._path} has numbers of type {kind}, which "
                    "are not read; fetch weights that are not quantized"
                )
            tensor = file.get_tensor(name)
        return tensor.astype("float32") if tensor.dtype.name in HALVES else tensor


def _open(path: pathlib.Path) -> Any:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise UserError(f"`encoder`: {path} is missing; fetch it again")
    try:
        return safe_open(path, framework="numpy")
    except (SafetensorError, OSError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise damaged(path, "a safetensors file", first) from None


SAFETENSORS = Format(
    file="model.safetensors",
    open=SafetensorsFile,
    index="model.safetensors.index.json",
    parts=("*.safetensors", "model.safetensors.index.json"),
)
