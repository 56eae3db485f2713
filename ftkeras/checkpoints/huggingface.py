"""Find, read and write pretrained checkpoints, on disk or on the Hugging Face Hub.

This module handles files only. What the tensors mean is defined by the encoders.
"""

import contextlib
import json
import os
import pathlib
import re
from collections.abc import Iterator, Mapping

import numpy as np

from ftkeras.checkpoints.formats import choose
from ftkeras.errors import UserError
from ftkeras.support import files

CONFIG, WEIGHTS = "config.json", "model.safetensors"
GOOGLE_CONFIG = "bert_config.json"  # beside the checkpoints of BERT's authors
FILES = (
    CONFIG,
    GOOGLE_CONFIG,
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
_OS_ERROR = re.compile(r"\(os error (\d+)\)")  # in a message of safetensors
REMEDY = "give a folder with config.json and weights, or a Hugging Face Hub id"
CONVERT = (
    'convert them once where you trust their source: python -c "from transformers import AutoModel'
    "; AutoModel.from_pretrained('{name}').save_pretrained('converted')\" (with PyTorch installed)"
)


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


def is_from_hub(name: str) -> bool:
    """Return whether a name is that of a checkpoint that this machine has from the Hub."""
    import huggingface_hub

    if pathlib.Path(os.path.expanduser(name)).exists() or not HUB_ID.fullmatch(name):
        return False
    return isinstance(huggingface_hub.try_to_load_from_cache(name, CONFIG), str)


def _download(name: str) -> pathlib.Path:
    import huggingface_hub
    from huggingface_hub import constants, errors

    try:
        for format in choose.FORMATS:
            # A pattern's * matches "/" too, hence the second list: files of the top level only.
            folder = huggingface_hub.snapshot_download(
                name, allow_patterns=[*FILES, *format.parts], ignore_patterns=["*/*"]
            )
            if choose.find(pathlib.Path(folder)):
                break
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
    """Return the content of a checkpoint's config.json, or of Google's bert_config.json.

    Raises:
        UserError: it is missing or not a JSON object.
    """
    path = pathlib.Path(folder) / CONFIG
    google = pathlib.Path(folder) / GOOGLE_CONFIG
    if google.is_file() and not path.is_file():
        return {"model_type": "bert", **choose.read_json(google)}
    if not path.is_file():
        raise UserError(f"encoder={folder} has no {CONFIG}; {REMEDY}")
    return choose.read_json(path)


def read_tensors(folder: str | os.PathLike) -> Mapping[str, np.ndarray]:
    """Return a checkpoint's tensors, from one file or the shards in its index.

    Raises:
        UserError: there are none in a format that is read, or a file is missing, damaged or
            refused.
    """
    folder = pathlib.Path(folder)
    weights = choose.find(folder)
    if not weights:
        raise UserError(_no_weights(folder))
    return choose.read(*weights[0])


def describe_choice(folder: str | os.PathLike) -> str:
    """Return a line that says which of a folder's weights are read; "" if it has no others."""
    paths = [path for _, path in choose.find(pathlib.Path(folder))]
    if len(paths) < 2:
        return ""
    others = " and ".join(path.name for path in paths[1:])
    return f"weights  {paths[0].name}; not read: {others}"


def _no_weights(folder: pathlib.Path) -> str:
    formats = [format.file for format in choose.FORMATS]
    missing = f"encoder={folder} has no {', '.join(formats[:-1])} or {formats[-1]}"
    patterns = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack")
    others = sorted(path.name for pattern in patterns for path in folder.glob(pattern))
    if not others:
        return f"{missing}; {REMEDY}"
    why = "which are not read under these names"
    return f"{missing}, only {', '.join(others)}, {why}; {CONVERT.format(name=folder)}"


def write(folder: str | os.PathLike, *, config: Mapping, tensors: Mapping[str, np.ndarray]) -> None:
    """Write config.json and model.safetensors, each atomically.

    Args:
        folder: where to write.
        config: the content of config.json.
        tensors: by name.

    Raises:
        OSError: a file can't be written.
    """
    from safetensors.numpy import save_file

    folder = pathlib.Path(folder)
    # safetensors writes the memory as it is, so a transposed view would be stored wrongly.
    tensors = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    content = json.dumps(config, indent=2, sort_keys=True) + "\n"
    with files.replacing(folder / WEIGHTS) as beside, _errors_of_system():
        save_file(tensors, beside, metadata={"format": "pt"})
    files.write_text(folder / CONFIG, content)


@contextlib.contextmanager
def _errors_of_system() -> Iterator[None]:
    """Raise an OSError where safetensors raises its own error, such as for a full disk."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        if not (named := _OS_ERROR.search(str(error))):
            raise
        raise OSError(int(named[1]), os.strerror(int(named[1]))) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
