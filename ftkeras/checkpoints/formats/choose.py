"""Choose among the weights in a folder, and read them, whatever their format."""

import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ftkeras.checkpoints.formats.base import Format, Weights, shown
from ftkeras.checkpoints.formats.h5_file import H5
from ftkeras.checkpoints.formats.safetensors_file import SAFETENSORS
from ftkeras.checkpoints.formats.tf_checkpoint import TF_CHECKPOINT
from ftkeras.checkpoints.formats.torch_file import TORCH
from ftkeras.errors import UserError

# The first one that a folder has is read.
FORMATS: tuple[Format, ...] = (SAFETENSORS, TORCH, H5, TF_CHECKPOINT)


class Tensors(Mapping):
    """A checkpoint's tensors by name, each read from its file on access.

    Half-precision tensors are returned as float32.

    Args:
        files: the opened file of each tensor.
    """

    def __init__(self, files: Mapping[str, Weights]):
        self._files = files

    def __getitem__(self, name: str) -> np.ndarray:
        return self._files[name].read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def find(folder: pathlib.Path) -> list[tuple[Format, pathlib.Path]]:
    """Return the weights in a folder, the preferred ones first: a file or an index of shards.

    Raises:
        UserError: several files have the name of the preferred format.
    """
    files = []
    for format in FORMATS:
        paths = sorted(path for path in folder.glob(format.file) if path.is_file())
        if len(paths) > 1 and not files:
            raise UserError(
                f"`encoder`: {folder} has {' and '.join(path.name for path in paths)}; "
                "keep one of them"
            )
        if not paths and format.index is not None and (folder / format.index).is_file():
            paths = [folder / format.index]
        files += [(format, path) for path in paths]
    return files


def read(format: Format, path: pathlib.Path) -> Tensors:
    """Return the tensors of a file, or of the shards in an index.

    Raises:
        UserError: a file is missing, damaged or refused.
    """
    if path.name == format.index:
        return Tensors(_sharded(format, path))
    weights = format.open(path)
    return Tensors(dict.fromkeys(weights.shapes, weights))


def _sharded(format: Format, index: pathlib.Path) -> dict[str, Weights]:
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict) or not all(map(_is_file_name, places.values())):
        raise UserError(f"`encoder`: {index} has no weight_map of file names; fetch it again")
    shards = {name: _open_shard(format, index, name) for name in sorted(set(places.values()))}
    if not format.index_has_names:
        return _union(index, shards, len(places))
    for name, shard in places.items():
        if name not in shards[shard].shapes:
            raise UserError(
                f"`encoder`: {index.parent / shard} lacks the tensor {shown(name)} that "
                f"{index.name} expects in it; fetch both again"
            )
    return {name: shards[shard] for name, shard in places.items()}


def _union(index: pathlib.Path, shards: Mapping[str, Weights], count: int) -> dict[str, Weights]:
    """Return the tensors of all shards."""
    shard_of = {name: shard for shard in shards.values() for name in shard.shapes}
    if not len(shard_of) == sum(len(shard.shapes) for shard in shards.values()) == count:
        raise UserError(
            f"`encoder`: {', '.join(shards)} do not have the {count} tensors that {index} expects; "
            "fetch all again"
        )
    return shard_of


def _open_shard(format: Format, index: pathlib.Path, name: str) -> Weights:
    path = index.parent / name
    if not path.is_file():
        raise UserError(f"`encoder`: {path} is missing, which {index.name} names; fetch it again")
    return format.open(path)


def _is_file_name(shard: object) -> bool:
    return isinstance(shard, str) and pathlib.PurePath(shard).name == shard


def read_json(path: pathlib.Path) -> dict[str, Any]:
    """Return the content of a JSON object.

    Raises:
        UserError: it is not a readable one.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise UserError(
            f"`encoder`: {path} is not readable JSON ({first}); fetch it again"
        ) from None
    if not isinstance(content, dict):
        raise UserError(f"`encoder`: {path} is not a JSON object; fetch it again")
    return content
