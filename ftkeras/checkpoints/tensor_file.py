"""Store tensors and JSON data in one safetensors file, with a checksum over both."""

import hashlib
import json
import os
import pathlib
from typing import Any

import numpy as np

from ftkeras.support import files

# A single metadata entry: safetensors does not preserve the order of several, so the bytes vary.
ENTRY = "ftkeras"


class DamagedError(Exception):
    """Report a file that can't be read, or does not contain what was written."""


def write(path: pathlib.Path, tensors: dict[str, np.ndarray], facts: dict) -> None:
    """Write the file atomically, and wait until it is on the disk.

    Args:
        path: of the file.
        tensors: by name.
        facts: data of JSON types.

    Raises:
        OSError: the disk is full, or the folder can't be written.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    entry = json.dumps({"sha256": _checksum(tensors, facts), "facts": facts})
    with files.replacing(path) as beside:
        try:
            save_file(tensors, beside, {ENTRY: entry})
        except SafetensorError as error:  # how safetensors reports a full disk
            raise OSError(None, str(error), str(path)) from error
        with beside.open("rb") as file:
            os.fsync(file.fileno())


def read_facts(path: pathlib.Path) -> dict:
    """Return the facts alone, without verifying the checksum.

    Raises:
        DamagedError: the file has none that can be read.
    """
    from safetensors import SafetensorError

    try:
        return json.loads(_open(path).metadata()[ENTRY])["facts"]
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise DamagedError(f"{path} can't be read: {error}") from None


def read(path: pathlib.Path) -> tuple[dict[str, np.ndarray], dict]:
    """Return the tensors by name, and the facts.

    Raises:
        FileNotFoundError: there is no such file.
        DamagedError: the file is not what was written.
    """
    from safetensors import SafetensorError

    try:
        opened = _open(path)
        entry = json.loads((opened.metadata() or {}).get(ENTRY, "{}"))
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise DamagedError(f"{path} can't be read: {error}") from None
    if entry.get("sha256") != _checksum(tensors, entry.get("facts")):
        raise DamagedError(f"{path} can't be read: its checksum does not match its content")
    return tensors, entry["facts"]


def _open(path: pathlib.Path) -> Any:
    from safetensors import safe_open

    return safe_open(path, framework="numpy")


def _checksum(tensors: dict[str, np.ndarray], facts: dict | None) -> str:
    content = hashlib.sha256(json.dumps(facts).encode())
    for name in sorted(tensors):
        tensor = np.ascontiguousarray(tensors[name])
        content.update(f"{name} {tensor.dtype} {tensor.shape}".encode())
        flat: Any = tensor.reshape(-1)
        content.update(memoryview(flat).cast("B") if tensor.size else b"")
    return content.hexdigest()
