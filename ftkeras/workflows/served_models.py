"""Find the exported model that `serve` serves: a SavedModel, or an ONNX model behind the same API.

TensorFlow is imported only for a model that is there.
"""

import pathlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ftkeras.serving import model_folder

if TYPE_CHECKING:
    from ftkeras.serving.model import Model
    from ftkeras.serving.startup import Format

# An ONNX model has no versions; its URLs and metrics have this one.
ONNX_VERSION = 1


@dataclass(frozen=True)
class ServedModel:
    """The folder of a model, and its format.

    Attributes:
        folder: contains its versions, or the ONNX model.
        version: the only one to serve; None for the newest.
        is_onnx: whether it is an ONNX model.
    """

    folder: pathlib.Path
    version: int | None = None
    is_onnx: bool = False

    @property
    def format(self) -> "Format":
        """The functions that find and load its versions."""
        from ftkeras.serving.startup import Format

        return Format(_find_onnx, _load_onnx) if self.is_onnx else Format()


def find(model: str | None) -> ServedModel:
    """Return the model that an argument names.

    Args:
        model: a folder of versions, one version in it, or what `export=onnx` has written.

    Raises:
        UserError: if it is none of these.
    """
    if model and model_folder.is_onnx(folder := pathlib.Path(model)):
        return ServedModel(folder, is_onnx=True)
    return ServedModel(*model_folder.find_versions(model, "serve"))


def _find_onnx(folder: pathlib.Path) -> dict[int, pathlib.Path]:
    path = folder / model_folder.ONNX
    return {ONNX_VERSION: path} if path.is_file() else {}


def _load_onnx(folder: pathlib.Path) -> "Model":
    from ftkeras.exporters import onnx
    from ftkeras.serving import definitions
    from ftkeras.serving.model import Model

    served = onnx.read(folder)
    functions = served.signatures()
    described = definitions.describe(functions)
    return Model(folder, ONNX_VERSION, functions, described, owner=served)
