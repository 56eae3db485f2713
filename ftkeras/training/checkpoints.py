"""Weights in one safetensors file, each under its variable's path."""

import pathlib

import keras
import numpy as np

from ftkeras import files
from ftkeras.errors import UserError


def save(variables: list[keras.Variable], path: pathlib.Path) -> None:
    """Writes the variables; the file appears whole or not at all."""
    from safetensors.numpy import save_file

    with files.replacing(path) as beside:
        save_file({v.path: np.asarray(v.numpy()) for v in variables}, beside)


def load(variables: list[keras.Variable], path: pathlib.Path) -> None:
    """Reads what `save` wrote into the variables of a model of the same build.

    Raises:
        UserError: the file is not there, damaged, or another model's.
    """
    from safetensors import SafetensorError, safe_open

    by_path = {v.path: v for v in variables}
    try:
        with safe_open(path, framework="numpy") as tensors:
            there = set(tensors.keys())
            if there != set(by_path):
                raise UserError(
                    f"--run_dir: {path} holds another model's weights; they differ in "
                    f"{', '.join(sorted(there ^ set(by_path))[:3])} …"
                )
            for name, variable in by_path.items():
                variable.assign(tensors.get_tensor(name))
    except FileNotFoundError:
        raise UserError(f"--run_dir: {path} is not there; the run kept no weights.") from None
    except (SafetensorError, ValueError) as error:
        raise UserError(f"--run_dir: {path} can't be read: {error}") from None
