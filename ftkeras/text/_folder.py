"""Read and write a tokenizer's files in a Hugging Face checkpoint folder."""

import logging
import pathlib
from collections.abc import Sequence
from typing import Any

from ftkeras.support import files
from ftkeras.text import _added_token_files, _tokenizer_settings
from ftkeras.text._added_tokens import AddedToken
from ftkeras.text._frames import STYLES
from ftkeras.text._tokenizer_files import TokenizerFiles, file_error, written_settings

log = logging.getLogger(__name__)

_BERT_ROLES = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")


def read(folder: pathlib.Path) -> dict[str, Any]:
    """Return the arguments of WordPiece that the folder's files describe.

    Raises:
        UserError: naming the file and the setting that is not supported.
    """
    checkpoint = TokenizerFiles.read(folder)
    _tokenizer_settings.check(checkpoint)
    vocabulary = _vocabulary(checkpoint)
    return {
        "vocabulary": vocabulary,
        **_tokenizer_settings.normalization(checkpoint),
        "added_tokens": _added_token_files.find(checkpoint, vocabulary),
        "style": _tokenizer_settings.style_of(checkpoint),
    }


def _vocabulary(checkpoint: TokenizerFiles) -> list[str]:
    """Return the vocabulary without added tokens; tokenizer.json goes before vocab.txt."""
    path = checkpoint.folder / "vocab.txt"
    if checkpoint.tokenizer is None:
        return read_vocabulary(path)
    ids = checkpoint.tokenizer["model"].get("vocab") or {}
    tokens = tokens_by_id(checkpoint.tokenizer_path, ids)
    if path.is_file() and read_vocabulary(path)[: len(tokens)] != tokens:
        log.warning("%s and vocab.txt have other tokens; tokenizer.json is used", path.parent)
    return tokens


def tokens_by_id(path: pathlib.Path, ids: dict[str, int]) -> list[str]:
    """Return the tokens of a vocabulary by id; raise UserError if ids have a gap."""
    tokens = sorted(ids, key=ids.__getitem__)
    for index, token in enumerate(tokens):
        if ids[token] != index:
            raise file_error(
                path,
                f"must have exactly one token with id {index}; ids must run from 0 without a gap",
            )
    return tokens


def read_vocabulary(path: pathlib.Path) -> list[str]:
    """Read a file of one token per line, ended by LF or CR LF; the last end may be missing.

    Raises:
        UserError: if the file can't be read.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise file_error(path, f"cannot be read as a UTF-8 vocabulary ({error})") from None
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
    added_tokens: Sequence[AddedToken] = (),
    style: str = "bert",
    max_length: int | None = None,
    cut_side: str | None = None,
    segments: bool = True,
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
        "tokenizer_class": {"bert": "BertTokenizer", "mpnet": "MPNetTokenizer"}[style],
        "do_lower_case": lowercase,
        "strip_accents": strip_accents,
        "tokenize_chinese_chars": split_chinese,
        **_written_roles(style),
        # With it, transformers would split added tokens that are special too.
        **written_settings(
            *(max_length, cut_side),
            splits_special_tokens=not any(token.special for token in added_tokens),
        ),
    }
    if added_tokens:
        own = tuple(_written_roles(style).values())
        config["added_tokens_decoder"] = _added_token_files.entries(vocabulary, added_tokens, own)
    if not segments:
        config["model_input_names"] = ["input_ids", "attention_mask"]
    files.write_json(folder / "tokenizer_config.json", config)


def _written_roles(style: str) -> dict[str, str]:
    """Return the special tokens, by the keys of tokenizer_config.json."""
    roles = STYLES[style].roles
    if style != "bert":
        return roles
    return {role: roles[role] for role in _BERT_ROLES}
