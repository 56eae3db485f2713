"""Read and write the files of a byte-level BPE tokenizer in a Hugging Face checkpoint folder."""

import json
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

from ftkeras.support import files
from ftkeras.text._folder import tokens_by_id
from ftkeras.text._roberta_files import ROLES, check_frame, check_tokens
from ftkeras.text._tokenizer_files import CONFIG, TOKENIZER, TokenizerFiles, file_error, read_json
from ftkeras.text._tokenizer_settings import check_class, content_of

_CLASSES = ("RobertaTokenizer",)
_MODEL = {
    "dropout": (None, 0.0),
    "continuing_subword_prefix": (None, ""),
    "end_of_word_suffix": (None, ""),
    "fuse_unk": (False, None),
    "byte_fallback": (False, None),
    "ignore_merges": (False, None),
}


def read(folder: pathlib.Path) -> dict[str, Any]:
    """Return the arguments of BytePair that the folder's files describe.

    Raises:
        UserError: naming the file and the setting that is not supported.
    """
    found = TokenizerFiles.read(folder)
    supported = f"of BPE only {', '.join(_CLASSES)} is supported"
    check_class(found, "RobertaTokenizer", _CLASSES, supported)
    check_tokens(found, "byte-level BPE")
    if found.tokenizer is None:
        ids, merges = read_json(folder / "vocab.json"), list(_lines(folder / "merges.txt"))
        path = folder / "vocab.json"
        stored = None
    else:
        _check_tokenizer(found)
        path, model = found.tokenizer_path, found.tokenizer["model"]
        ids, merges = model.get("vocab") or {}, [_pair(path, m) for m in model.get("merges") or []]
        stored = bool(found.tokenizer["pre_tokenizer"].get("add_prefix_space", True))
    return {
        "vocabulary": _vocabulary(found, path, ids),
        "merges": merges,
        "add_prefix_space": _prefix_space(found, stored),
    }


def _vocabulary(found: TokenizerFiles, path: pathlib.Path, ids: dict[str, int]) -> list[str]:
    """Return the tokens by id; special tokens may be in the files' added tokens only."""
    extra = {
        str(content_of(e)): e.get("id") for e in (found.tokenizer or {}).get("added_tokens", ())
    }
    return tokens_by_id(path, {**extra, **found.added, **ids})


def _prefix_space(found: TokenizerFiles, stored: bool | None) -> bool:
    """Return `add_prefix_space`; refuse two files that disagree."""
    value = found.config.get("add_prefix_space")
    if value is not None and not isinstance(value, bool):
        raise file_error(
            found.config_path, f"has add_prefix_space {value!r}, which is neither true nor false"
        )
    if stored is not None and value is not None and stored != value:
        raise file_error(
            found.folder,
            f"has add_prefix_space {value} in {CONFIG}, but {stored} in {TOKENIZER}; "
            "make them agree",
        )
    return bool(stored if value is None else value)


def _check_tokenizer(found: TokenizerFiles) -> None:
    path, content = found.tokenizer_path, found.tokenizer or {}
    model, splitting = content["model"], content.get("pre_tokenizer") or {}
    if content.get("normalizer"):
        kind = content["normalizer"].get("type")
        raise file_error(path, f"has normalizer {kind}, but with byte-level BPE none is supported")
    if splitting.get("type") != "ByteLevel" or not splitting.get("use_regex", True):
        raise file_error(
            path,
            f"has pre_tokenizer {splitting.get('type', 'none')}, but only ByteLevel with its own "
            "expression is supported",
        )
    for name, allowed in _MODEL.items():
        if model.get(name, allowed[0]) not in allowed:
            raise file_error(
                path, f"has {name} {model[name]!r}, but only {allowed[0]!r} is supported"
            )
    check_frame(found, "RobertaTokenizer")


def _pair(path: pathlib.Path, merge: Any) -> tuple[str, str]:
    parts = merge.split(" ") if isinstance(merge, str) else merge
    if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(p, str) for p in parts):
        raise file_error(path, f"has a merge that is not two tokens: {merge!r}")
    return parts[0], parts[1]


def _lines(path: pathlib.Path) -> Iterator[tuple[str, str]]:
    """Yield the merges of merges.txt, whose first line may be a comment with its version."""
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise file_error(path, f"cannot be read as UTF-8 ({error})") from None
    for line in text.split("\n"):
        line = line.removesuffix("\r")
        if line and not line.startswith("#version"):
            yield _pair(path, line)


def write(
    folder: pathlib.Path,
    *,
    vocabulary: Sequence[str],
    merges: Sequence[tuple[str, str]],
    add_prefix_space: bool,
    max_length: int | None = None,
) -> None:
    """Write vocab.json, merges.txt and tokenizer_config.json, which `read` and transformers read.

    Raises:
        ValueError: if the folder has a tokenizer.json.
    """
    if (folder / TOKENIZER).exists():
        raise ValueError(f"`folder` must hold no {TOKENIZER}. Received: {folder}.")
    ids = {token: index for index, token in enumerate(vocabulary)}
    files.write_text(folder / "vocab.json", json.dumps(ids, ensure_ascii=False) + "\n")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    files.write_text(folder / "merges.txt", "".join(f"{line}\n" for line in lines))
    config: dict[str, Any] = {
        "tokenizer_class": "RobertaTokenizer",
        "add_prefix_space": add_prefix_space,
        **{role: token for role, token in ROLES.items() if token in ids},
    }
    if max_length is not None:
        config["model_max_length"] = max_length
    files.write_json(folder / CONFIG, config)
