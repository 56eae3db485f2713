"""Write an exported ONNX model as a model repository of NVIDIA Triton Inference Server."""

import pathlib
import shutil
import string
from typing import Any

from ftkeras.errors import UserError
from ftkeras.runs import layout
from ftkeras.support import files

MODEL, LABELS, CONFIG = "model.onnx", "labels.txt", "config.pbtxt"
TEMPLATE = pathlib.Path(__file__).parent / "templates" / CONFIG
REPOSITORY = "models"
# ONNX's element types, by number, that our exports use.
_TYPES = {1: "TYPE_FP32", 6: "TYPE_INT32"}


def is_onnx(folder: pathlib.Path) -> bool:
    """Return whether a folder is one that the exporter `onnx` writes."""
    return (folder / MODEL).is_file() and (folder / layout.EXPORT_RECORD).is_file()


def write(
    export: pathlib.Path, output: pathlib.Path, *, name: str, batch_size: int
) -> pathlib.Path:
    """Write the next version of a model, and the configuration of all its versions.

    The layout is `<output>/models/<name>/{config.pbtxt, labels.txt, <version>/model.onnx}`. A
    version appears by one rename. Without a version policy, Triton serves the newest one.

    Source: https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/
    user_guide/model_repository.html.

    Args:
        export: The folder that the exporter `onnx` has written.
        output: The folder to write.
        name: The model's name in URLs.
        batch_size: The most texts in a batch.

    Returns:
        The version's folder.

    Raises:
        UserError: The package `onnx` is not installed.
    """
    folder = output / REPOSITORY / name
    text = render(export, name=name, batch_size=batch_size)
    with files.next_version(folder) as version:
        shutil.copy(export / MODEL, version.draft)
        shutil.copy(export / LABELS, folder)
        files.write_text(folder / CONFIG, text)
    return version.path


def render(export: pathlib.Path, *, name: str, batch_size: int) -> str:
    """Return the text of config.pbtxt for an exported model; see `write`."""
    try:
        import onnx
    except ModuleNotFoundError:
        raise UserError("deploy of an ONNX model needs: pip install 'ftkeras[onnx]'") from None
    graph = onnx.load(export / MODEL).graph
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
