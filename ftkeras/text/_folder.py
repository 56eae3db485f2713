"""Read and write a tokenizer's files in a Hugging Face checkpoint folder."""

import json
import pathlib
from collections.abc import Sequence
from typing import Any

from ftkeras.errors import UserError
from ftkeras.support import files

_WANTED = {
    "normalizer": "BertNormalizer",
    "pre_tokenizer": "BertPreTokenizer",
    "model": "WordPiece",
}
_MODEL = {"continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "unk_token": "[UNK]"}


def read(folder: pathlib.Path) -> dict[str, Any]:
    """Return the arguments of WordPiece that the folder's files describe.

    Raises:
        UserError: naming the file and the setting that is not supported.
    """
    if (folder / "tokenizer.json").is_file():
        return _read_tokenizer(folder / "tokenizer.json")
    if (folder / "vocab.txt").is_file():
        return _read_config(folder)
    raise _error(folder, "has no tokenizer.json and no vocab.txt; name a BERT checkpoint")


def _error(path: pathlib.Path, problem: str) -> UserError:
    return UserError(f"`encoder`: {path} {problem}.")


def _read_json(path: pathlib.Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _error(path, f"cannot be read as JSON ({error})") from None
    if not isinstance(content, dict):
        raise _error(path, "is not a JSON object")
    return content


def _read_tokenizer(path: pathlib.Path) -> dict[str, Any]:
    content = _read_json(path)
    parts = {name: content.get(name) or {} for name in _WANTED}
    for name, wanted in _WANTED.items():
        kind = parts[name].get("type", "none")
        if kind != wanted:
            raise _error(
                path, f"has {name} {kind}, but only a BERT tokenizer is supported ({wanted})"
            )
    normalizer, model = parts["normalizer"], parts["model"]
    for name, wanted in _MODEL.items():
        if model.get(name, wanted) != wanted:
            raise _error(path, f"has {name} {model[name]!r}, but only {wanted!r} is supported")
    if not normalizer.get("clean_text", True):
        raise _error(
            path, "has clean_text off, but only tokenizers that clean the text are supported"
        )
    _refuse_added(path, content.get("added_tokens") or [])
    return {
        "vocabulary": _by_id(path, model.get("vocab") or {}),
        "lowercase": normalizer.get("lowercase", True),
        "strip_accents": normalizer.get("strip_accents"),
        "split_chinese": normalizer.get("handle_chinese_chars", True),
    }


def _by_id(path: pathlib.Path, ids: dict[str, int]) -> list[str]:
    tokens = sorted(ids, key=ids.get)
    for index, token in enumerate(tokens):
        if ids[token] != index:
            raise _error(
                path,
                f"must have exactly one token with id {index}; ids must run from 0 without a gap",
            )
    return tokens


def _refuse_added(path: pathlib.Path, added: list[dict]) -> None:
    # Special tokens are never found in a text here; others would have to be, before anything else.
    names = [token["content"] for token in added if not token.get("special", False)]
    if names:
        raise _error(path, f"adds tokens not marked special: {', '.join(names[:5])}; remove them")


def _read_config(folder: pathlib.Path) -> dict[str, Any]:
    path = folder / "tokenizer_config.json"
    config = _read_json(path) if path.is_file() else {}
    _refuse_added(path, list(config.get("added_tokens_decoder", {}).values()))
    if not config.get("do_basic_tokenize", True):
        raise _error(
            path, "has do_basic_tokenize off, but only tokenizers that split words are supported"
        )
    return {
        "vocabulary": read_vocabulary(folder / "vocab.txt"),
        "lowercase": config.get("do_lower_case", True),
        "strip_accents": config.get("strip_accents"),
        "split_chinese": config.get("tokenize_chinese_chars", True),
    }


def read_vocabulary(path: pathlib.Path) -> list[str]:
    """Read a file of one token per line, ended by LF or CR LF; the last end may be missing.

    Raises:
        UserError: if the file can't be read.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _error(path, f"cannot be read as a UTF-8 vocabulary ({error})") from None
    # Not splitlines(), because some vocabularies have U+2028 and U+0085 as tokens.
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return lines[:-1] if lines[-1] == "" else lines


def write(
    folder: pathlib.Path,
    *,
    vocabulary: Sequence[str],
    lowercase: bool,
    strip_accents: bool,
    split_chinese: bool,
    max_length: int | None = None,
) -> None:
    """Write vocab.txt and tokenizer_config.json, which `read` and transformers read.

    Raises:
        ValueError: if a token contains a line end, or if the folder has a tokenizer.json.
    """
    broken = [token for token in vocabulary if "\n" in token or token.endswith("\r")]
    if broken:
        raise ValueError(f"`vocabulary` must hold no line ends. Received: {broken[0]!r}.")
    if (folder / "tokenizer.json").exists():
        raise ValueError(f"`folder` must hold no tokenizer.json. Received: {folder}.")
    files.write_text(folder / "vocab.txt", "".join(f"{token}\n" for token in vocabulary))
    config = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": lowercase,
        "strip_accents": strip_accents,
        "tokenize_chinese_chars": split_chinese,
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }
    if max_length is not None:
        config["model_max_length"] = max_length
    files.write_json(folder / "tokenizer_config.json", config)
