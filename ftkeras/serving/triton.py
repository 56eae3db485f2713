"""The configuration of NVIDIA Triton Inference Server for an exported ONNX model."""

import pathlib
import string
from typing import Any

from ftkeras.errors import UserError
from ftkeras.serving.model_folder import LABELS, ONNX

CONFIG = "config.pbtxt"
TEMPLATE = pathlib.Path(__file__).parent / "templates" / CONFIG
REPOSITORY = "models"
# ONNX's element types, by number, that our exports use.
_TYPES = {1: "TYPE_FP32", 6: "TYPE_INT32"}


def render(export: pathlib.Path, *, name: str, batch_size: int) -> str:
    """Return the text of config.pbtxt.

    Args:
        export: The folder that the exporter `onnx` has written.
        name: The model's name in URLs.
        batch_size: The most texts in a batch.

    Raises:
        UserError: The package `onnx` is not installed.
    """
    try:
        import onnx
    except ModuleNotFoundError:
        raise UserError("deploy of an ONNX model needs: pip install 'ftkeras[onnx]'") from None
    graph = onnx.load(export / ONNX).graph
    template = string.Template(TEMPLATE.read_text(encoding="utf-8"))
    return template.substitute(
        name=name,
        batch_size=batch_size,
        inputs=_tensors(graph.input),
        outputs=_tensors(graph.output, f'\n    label_filename: "{LABELS}"'),
    )


def _tensors(infos: Any, extra: str = "") -> str:
    """Return the entries of tensors [batch, any]; the batch is implied."""
    entries = [
        f'  {{\n    name: "{info.name}"\n'
        f"    data_type: {_TYPES[info.type.tensor_type.elem_type]}\n    dims: [ -1 ]{extra}\n  }}"
        for info in infos
    ]
    return ",\n".join(entries)
