"""Find the versions of a SavedModel, and load one."""

import pathlib

import tensorflow as tf
import tensorflow_text  # noqa: F401  registers the ops of the text layer

from ftkeras.serving import definitions
from ftkeras.serving.model import Model


def find(folder: pathlib.Path) -> dict[int, pathlib.Path]:
    """Return the file of each version in a folder of versions, by its number."""
    paths = {path.name: path / "saved_model.pb" for path in folder.iterdir()}
    return {int(name): file for name, file in paths.items() if name.isdecimal() and file.is_file()}


def load(folder: pathlib.Path) -> Model:
    """Load the version in a folder that is named by its number."""
    loaded = tf.saved_model.load(str(folder))
    functions, version = dict(loaded.signatures), int(folder.name)
    return Model(folder, version, functions, definitions.read(folder), owner=loaded)
