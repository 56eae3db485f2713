"""Find, read and write pretrained checkpoints, on disk or on the Hugging Face Hub.

This module handles files only. What the tensors mean is defined by the encoders.
"""

import json
import os
import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ftkeras.errors import UserError
from ftkeras.support import files

CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
FILES = (
    CONFIG,
    "*.safetensors",
    INDEX,
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "spiece.model",
    "spm.model",
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
REMEDY = "give a folder with config.json and model.safetensors, or a Hugging Face Hub id"
CONVERT = (
    'convert them once where you trust their source: python -c "from transformers import AutoModel'
    "; AutoModel.from_pretrained('{name}').save_pretrained('converted')\" (with PyTorch installed)"
)
HALVES = ("float16", "bfloat16")


def resolve(name: str) -> pathlib.Path:
    """Return the folder of a checkpoint; one of the Hub is downloaded unless it is in the cache.

    Args:
        name: path of a folder, or a Hub id such as `bert-base-uncased` or `owner/model`.

    Raises:
        UserError: it is neither, or can't be downloaded.
    """
    folder = pathlib.Path(os.path.expanduser(name))
    if name and folder.is_dir():
        return folder
    if folder.is_file():
        raise UserError(f"encoder={name} is a file; {REMEDY}")
    if not HUB_ID.fullmatch(name):
        raise UserError(f"encoder={name}: no such folder; {REMEDY}")
    return _download(name)


def _download(name: str) -> pathlib.Path:
    import huggingface_hub
    from huggingface_hub import constants, errors

    try:
        # A pattern's * matches "/" too, hence the second list: files of the top level only.
        folder = huggingface_hub.snapshot_download(
            name, allow_patterns=list(FILES), ignore_patterns=["*/*"]
        )
        return pathlib.Path(folder)
    except errors.GatedRepoError:
        why, remedy = "access to it must be granted first", "accept its terms, then `hf auth login`"
    except (errors.RepositoryNotFoundError, errors.HFValidationError):
        why, remedy = "the Hugging Face Hub has no such model", REMEDY
    except errors.LocalEntryNotFoundError as error:
        why = f"{constants.ENDPOINT} could not be reached ({_first_line(error)})"
        if constants.HF_HUB_OFFLINE:
            why = "HF_HUB_OFFLINE is set"
        why += f" and it is not in the cache {constants.HF_HUB_CACHE}"
        remedy = "go online once, set HF_HOME to a cache that has it, or give a folder"
    except Exception as error:  # the transport's errors differ from version to version
        why, remedy = f"{type(error).__name__}: {_first_line(error)}", "try again, or give a folder"
    raise UserError(
        f"encoder={name}: no folder of that name, and as a Hub id: {why}; {remedy}"
    ) from None


def read_config(folder: str | os.PathLike[str]) -> dict:
    """Return the content of a checkpoint's config.json.

    Raises:
        UserError: it is missing or not a JSON object.
    """
    path = pathlib.Path(folder) / CONFIG
    if not path.is_file():
        raise UserError(f"encoder={folder} has no {CONFIG}; {REMEDY}")
    return _read_json(path)


def _read_json(path: pathlib.Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"`encoder`: {path} is not readable JSON ({_first_line(error)}); fetch it again"
        ) from None
    if not isinstance(content, dict):
        raise UserError(f"`encoder`: {path} is not a JSON object; fetch it again")
    return content


class Tensors(Mapping):
    """A checkpoint's tensors by name, each read from its file on access.

    Half-precision tensors are returned as float32.

    Args:
        files: the file of each tensor.
    """

    def __init__(self, files: Mapping[str, pathlib.Path]):
        self._files = files

    def __getitem__(self, name: str) -> np.ndarray:
        with _open(self._files[name]) as file:
            tensor = file.get_tensor(name)
        return tensor.astype("float32") if tensor.dtype.name in HALVES else tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def read_tensors(folder: str | os.PathLike) -> Mapping[str, np.ndarray]:
    """Return a checkpoint's tensors, from one safetensors file or the shards in its index.

    Raises:
        UserError: there are none or only pickled ones, or a file is missing or damaged.
    """
    folder = pathlib.Path(folder)
    if (folder / WEIGHTS).is_file():
        return Tensors(dict.fromkeys(_names(folder / WEIGHTS), folder / WEIGHTS))
    if (folder / INDEX).is_file():
        return Tensors(_sharded(folder))
    raise UserError(_no_weights(folder))


def _sharded(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    index = folder / INDEX
    shards = _read_json(index).get("weight_map")
    if not isinstance(shards, dict) or not all(map(_is_file_name, shards.values())):
        raise UserError(f"`encoder`: {index} has no weight_map of file names; fetch it again")
    present = {shard: set(_names(folder / shard)) for shard in sorted(set(shards.values()))}
    for name, shard in shards.items():
        if name not in present[shard]:
            raise UserError(
                f"`encoder`: {folder / shard} lacks the tensor {name} that {INDEX} expects in "
                "it; fetch both again"
            )
    return {name: folder / shard for name, shard in shards.items()}


def _is_file_name(shard: object) -> bool:
    return isinstance(shard, str) and pathlib.PurePath(shard).name == shard


def _names(path: pathlib.Path) -> list[str]:
    with _open(path) as file:
        return list(file.keys())


def _open(path: pathlib.Path) -> Any:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise UserError(f"`encoder`: {path} is missing, which {INDEX} names; fetch it again")
    try:
        return safe_open(path, framework="numpy")
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"`encoder`: {path} is damaged or not a safetensors file ({_first_line(error)}); "
            "fetch it again"
        ) from None


def _no_weights(folder: pathlib.Path) -> str:
    missing = f"encoder={folder} has no {WEIGHTS}"
    found = sorted(
        path.name
        for pattern in ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack")
        for path in folder.glob(pattern)
    )
    if not found:
        return (
            f"{missing}; {REMEDY}, and if it has pickled weights only (pytorch_model.bin), "
            f"which are not read because unpickling can run code, {CONVERT.format(name=folder)}"
        )
    why = "weights in another framework's format, which are not read"
    if any(name.endswith((".bin", ".pt", ".pth", ".ckpt")) for name in found):
        why = "pickled weights, which are not read because unpickling can run code"
    return f"{missing}, only {', '.join(found)}: {why}; {CONVERT.format(name=folder)}"


def write(folder: str | os.PathLike, *, config: Mapping, tensors: Mapping[str, np.ndarray]) -> None:
    """Write config.json and model.safetensors, each atomically.

    Args:
        folder: where to write.
        config: the content of config.json.
        tensors: by name.

    Raises:
        UserError: the folder can't be written.
    """
    from safetensors.numpy import save_file

    folder = pathlib.Path(folder)
    # safetensors writes the memory as it is, so a transposed view would be stored wrongly.
    tensors = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    content = json.dumps(config, indent=2, sort_keys=True) + "\n"
    try:
        with files.replacing(folder / WEIGHTS) as beside:
            save_file(tensors, beside, metadata={"format": "pt"})
        files.write_text(folder / CONFIG, content)
    except OSError as error:
        raise UserError(
            f"can't write a checkpoint to {folder} ({_first_line(error)}); "
            "choose a folder that can be written"
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
