"""Tensors and a few facts in one safetensors file, with a checksum over both."""

import hashlib
import json
import os
import pathlib

import numpy as np

from ftkeras.support import files

# One entry of safetensors' metadata: of several it does not keep the order, nor so the bytes.
ENTRY = "ftkeras"


class DamagedError(Exception):
    """The file can't be read, or holds other than what was written."""


def write(path: pathlib.Path, tensors: dict[str, np.ndarray], facts: dict) -> None:
    """Writes the file whole, on the disk when this returns.

    Raises:
        OSError: there is no room, or no right to write.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    told = json.dumps({"sha256": _checksum(tensors, facts), "facts": facts})
    with files.replacing(path) as beside:
        try:
            save_file(tensors, beside, {ENTRY: told})
        except SafetensorError as error:  # that is how it tells of a full disk
            raise OSError(None, str(error), str(path)) from error
        with beside.open("rb") as file:
            os.fsync(file.fileno())


def read_facts(path: pathlib.Path) -> dict:
    """The facts alone, unchecked."""
    return json.loads(_opened(path).metadata()[ENTRY])["facts"]


def read(path: pathlib.Path) -> tuple[dict[str, np.ndarray], dict]:
    """What `write` wrote: tensors by name, and the facts.

    Raises:
        FileNotFoundError: there is no such file.
        DamagedError: it is not what was written.
    """
    from safetensors import SafetensorError

    try:
        opened = _opened(path)
        told = json.loads((opened.metadata() or {}).get(ENTRY, "{}"))
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise DamagedError(f"{path} can't be read: {error}") from None
    if told.get("sha256") != _checksum(tensors, told.get("facts")):
        raise DamagedError(f"{path} can't be read: its checksum does not fit its content")
    return tensors, told["facts"]


def _opened(path):
    from safetensors import safe_open

    return safe_open(path, framework="numpy")


def _checksum(tensors, facts) -> str:
    content = hashlib.sha256(json.dumps(facts).encode())
    for name in sorted(tensors):
        tensor = np.ascontiguousarray(tensors[name])
        content.update(f"{name} {tensor.dtype} {tensor.shape}".encode())
        content.update(memoryview(tensor.reshape(-1)).cast("B") if tensor.size else b"")
    return content.hexdigest()
