"""Save and load a model's weights: one safetensors file, each tensor under its variable's path."""

import pathlib
from collections.abc import Sequence

import keras
import numpy as np

from ftkeras.checkpoints import tensor_file
from ftkeras.errors import UserError


def save(variables: Sequence[keras.Variable], path: pathlib.Path) -> None:
    """Write the variables; the file appears complete or not at all."""
    tensor_file.write(path, {v.path: np.asarray(v) for v in variables}, facts={})


def load(variables: Sequence[keras.Variable], path: pathlib.Path) -> None:
    """Read what `save` wrote into the variables of a model of the same architecture.

    Raises:
        UserError: the file is missing, damaged, or another model's.
    """
    try:
        tensors, _ = tensor_file.read(path)
    except FileNotFoundError:
        raise UserError(f"`run_dir`: {path} does not exist; the run kept no weights.") from None
    except tensor_file.DamagedError as error:
        raise UserError(f"`run_dir`: {error}.") from None
    by_path = {v.path: v for v in variables}
    if set(tensors) != set(by_path):
        raise UserError(
            f"`run_dir`: {path} holds another model's weights; they differ in "
            f"{', '.join(sorted(set(tensors) ^ set(by_path))[:3])} …"
        )
    for name, variable in by_path.items():
        variable.assign(tensors[name])
