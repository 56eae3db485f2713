"""Write an exported ONNX model as a model repository of NVIDIA Triton Inference Server."""

import pathlib
import shutil

from ftkeras.serving import triton
from ftkeras.serving.model_folder import LABELS, ONNX
from ftkeras.support import files


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
    folder = output / triton.REPOSITORY / name
    text = triton.render(export, name=name, batch_size=batch_size)
    with files.next_version(folder) as version:
        shutil.copy(export / ONNX, version.draft)
        shutil.copy(export / LABELS, folder)
        files.write_text(folder / triton.CONFIG, text)
    return version.path
