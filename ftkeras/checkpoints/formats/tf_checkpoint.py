"""Weights in TensorFlow checkpoints: those of BERT's authors, and TensorFlow Model Garden's."""

import math
import pathlib
import re
from typing import Any

import numpy as np

from ftkeras.checkpoints.formats.base import Format, damaged, shown
from ftkeras.checkpoints.formats.tf_names import is_transposed, matrix_shape, torch_name

KIND = "a TensorFlow checkpoint"
# What else than the model's weights is in a checkpoint: the optimizer's state and the object graph.
BESIDE = re.compile(
    r"(^|/)(adam_[mv]|Adam(_\d+)?|global_step|save_counter|beta[12]_power)(/|$)"
    r"|(^|/)optimizer/|\.OPTIMIZER_SLOT|^_CHECKPOINTABLE_OBJECT_GRAPH$"
)
SIZES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int64": 8, "int32": 4}
HALVES = ("float16", "bfloat16")


class TFCheckpoint:
    """A TensorFlow checkpoint, of which the file that ends in `.index` is named.

    Args:
        path: of that file.

    Attributes:
        shapes: the shape of each tensor, by its PyTorch name.

    Raises:
        UserError: it is damaged.
    """

    def __init__(self, path: pathlib.Path):
        self._path = path
        self._variables: dict[str, str] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._reader = _open(path)
        types = self._reader.get_variable_to_dtype_map()
        available = sum(
            part.stat().st_size for part in path.parent.glob(f"{path.stem}.data-*-of-*")
        )
        for variable, shape in self._reader.get_variable_to_shape_map().items():
            if not BESIDE.search(variable):
                self._check(variable, types[variable].name, shape, available)
                self._add(variable, matrix_shape(variable, tuple(shape)))

    def _check(self, variable: str, dtype: str, shape: list[int], available: int) -> None:
        if dtype not in SIZES:
            raise damaged(self._path, KIND, f"{shown(variable)} has the type {dtype}")
        if math.prod(shape) * SIZES[dtype] > available:
            raise damaged(self._path, KIND, f"{shown(variable)} is larger than the data file")

    def _add(self, variable: str, shape: tuple[int, ...]) -> None:
        name = torch_name(variable)
        if name in self._variables:
            raise damaged(self._path, KIND, f"it has the tensor {shown(name)} twice")
        self._variables[name] = variable
        self.shapes[name] = shape[::-1] if is_transposed(variable) else shape

    def read(self, name: str) -> np.ndarray:
        """Return one tensor; half precision is returned as float32."""
        variable = self._variables[name]
        try:
            value = self._reader.get_tensor(variable)
        except Exception as error:  # TensorFlow's, or a RuntimeError of its C++ code
            raise damaged(self._path, KIND, shown(error)) from None
        value = value.reshape(matrix_shape(variable, value.shape))
        value = value.T if is_transposed(variable) else value
        return value.astype("float32") if value.dtype.name in HALVES else value


def _open(path: pathlib.Path) -> Any:
    import tensorflow as tf

    try:
        return tf.train.load_checkpoint(str(path.with_suffix("")))
    except Exception as error:  # TensorFlow's, or a RuntimeError of its C++ code
        raise damaged(path, KIND, shown(error)) from None


TF_CHECKPOINT = Format(
    file="*.ckpt*.index",
    open=TFCheckpoint,
    index=None,
    parts=("*.ckpt*.index", "*.ckpt*.data-*-of-*"),
)
