"""A model's weights in one safetensors file, each under its variable's path."""

import pathlib

import keras
import numpy as np

from ftkeras import files
from ftkeras.errors import UserError


def save(model: keras.Model, path: pathlib.Path) -> None:
    """Writes all weights; the file appears whole or not at all."""
    from safetensors.numpy import save_file

    with files.replacing(path) as beside:
        save_file({v.path: np.asarray(v.numpy()) for v in model.weights}, beside)


def load(model: keras.Model, path: pathlib.Path) -> None:
    """Reads what `save` wrote into a model of the same build.

    Raises:
        UserError: the file is not there, damaged, or another model's.
    """
    from safetensors import SafetensorError, safe_open

    variables = {v.path: v for v in model.weights}
    try:
        with safe_open(path, framework="numpy") as tensors:
            there = set(tensors.keys())
            if there != set(variables):
                raise UserError(
                    f"--run_dir: {path} holds another model's weights; they differ in "
                    f"{', '.join(sorted(there ^ set(variables))[:3])} …"
                )
            for name, variable in variables.items():
                variable.assign(tensors.get_tensor(name))
    except FileNotFoundError:
        raise UserError(f"--run_dir: {path} is not there; the run kept no weights.") from None
    except (SafetensorError, ValueError) as error:
        raise UserError(f"--run_dir: {path} can't be read: {error}") from None
