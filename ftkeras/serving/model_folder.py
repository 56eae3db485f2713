"""Find exported models: folders of versions, each a SavedModel in a folder named by a number.

Or a single ONNX model, in a folder of its own.
"""

import logging
import pathlib

from ftkeras.errors import UserError

log = logging.getLogger(__name__)
EXAMPLE = "saved_models/imdb"
SAVED_MODEL = "saved_model.pb"
ONNX, LABELS = "model.onnx", "labels.txt"
OTHERS = (ONNX, "model.tflite", "model.safetensors")


def is_onnx(folder: pathlib.Path) -> bool:
    """Return whether a folder is one that the exporter `onnx` writes."""
    return (folder / ONNX).is_file() and (folder / LABELS).is_file()


def find_versions(model: str | None, verb: str) -> tuple[pathlib.Path, int | None]:
    """Return the folder of versions that `model` names.

    Args:
        model: a folder of versions or one version in it.
        verb: the verb that needs the model, for messages.

    Returns:
        The folder of versions, and the version if `model` names a single one; otherwise None.

    Raises:
        UserError: if `model` is neither.
    """
    folder = _required(model, verb)
    if _is_model(folder) and folder.resolve().name.isdecimal():
        return folder.resolve().parent, int(folder.resolve().name)
    if not any(_is_model(version) for version in _versions(folder)):
        raise UserError(
            f"model={model} holds no versions of a SavedModel{_kind(folder)}; name a folder such "
            f"as {EXAMPLE}."
        )
    return folder, None


def find_model(model: str | None, verb: str) -> pathlib.Path:
    """Return the folder of the SavedModel that `model` names.

    Args:
        model: a SavedModel, or a folder of versions, of which the newest is taken that is one. A
            newer number, such as that of a version that is being copied there, is logged.
        verb: the verb that needs the model, for messages.

    Raises:
        UserError: if `model` is neither.
    """
    folder = _required(model, verb)
    for version in sorted(_versions(folder), key=lambda version: int(version.name), reverse=True):
        if _is_model(version):
            return version
        log.warning("version %s is skipped, as it has no %s", version, SAVED_MODEL)
    if not _is_model(folder):
        raise UserError(
            f"model={model} holds no SavedModel{_kind(folder)}; name a folder such as {EXAMPLE} or "
            f"{EXAMPLE}/1."
        )
    return folder


def _required(model: str | None, verb: str) -> pathlib.Path:
    if not model:
        raise UserError(f"{verb} needs `model`, an exported model such as {EXAMPLE}.")
    return pathlib.Path(model)


def _versions(folder: pathlib.Path) -> list[pathlib.Path]:
    return [path for path in folder.glob("*") if path.name.isdecimal() and path.is_dir()]


def _is_model(folder: pathlib.Path) -> bool:
    return (folder / SAVED_MODEL).is_file()


def _kind(folder: pathlib.Path) -> str:
    """Return the file of another kind of model in a folder, as a clause; empty if there is none."""
    others = [name for name in OTHERS if (folder / name).is_file()]
    return f", but {others[0]}" if others else ""
