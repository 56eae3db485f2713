"""Read and write the files of a byte-level BPE tokenizer in a Hugging Face checkpoint folder."""

import json
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

from ftkeras.support import files
from ftkeras.text import _byte_pair_json
from ftkeras.text._added_token_files import check_split
from ftkeras.text._added_tokens import AddedToken
from ftkeras.text._folder import tokens_by_id
from ftkeras.text._frames import STYLES
from ftkeras.text._roberta_files import check_frame, check_tokens
from ftkeras.text._tokenizer_files import (
    ADDED,
    CONFIG,
    TOKENIZER,
    TokenizerFiles,
    file_error,
    read_json,
    written_settings,
)
from ftkeras.text._tokenizer_settings import (
    ANY_TOKENIZER,
    check_class,
    content_of,
    template,
    tokenizer_class,
)

# Classes of transformers, without "Fast", and how they frame texts: keys of `STYLES`.
CLASSES = {"RobertaTokenizer": "roberta", "GPT2Tokenizer": "gpt2"}
# The styles of framing that a tokenizer.json may have, if the class follows it.
_STYLES = ("roberta", "bert")
# By the model_type of config.json, if no file names a class.
_DEFAULTS = {"modernbert": "PreTrainedTokenizerFast", "gpt2": "GPT2Tokenizer"}
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
    checkpoint = TokenizerFiles.read(folder)
    default = _default_class(checkpoint)
    supported = f"of BPE only {' and '.join(CLASSES)} are supported"
    check_class(checkpoint, default, CLASSES, supported)
    # These classes compute what tokenizer.json says; the others have their own normalizer.
    name = tokenizer_class(checkpoint, default)[0]
    is_free = name in ANY_TOKENIZER
    style = _style(checkpoint) if is_free else CLASSES[name.removesuffix("Fast")]
    if style == "gpt2" and checkpoint.config.get("add_bos_token"):
        raise file_error(checkpoint.config_path, "has add_bos_token, which is not supported")
    added = _added_tokens(checkpoint, style) if is_free else []
    check_split(checkpoint, added)
    contents = [token.content for token in added]
    check_tokens(checkpoint, "byte-level BPE", STYLES[style], contents)
    compose = False
    if checkpoint.tokenizer is None:
        ids, merges = read_json(folder / "vocab.json"), list(_lines(folder / "merges.txt"))
        path = folder / "vocab.json"
        stored = None
    else:
        compose = _check_tokenizer(checkpoint, is_free)
        check_frame(checkpoint, default, STYLES[style])
        path, model = checkpoint.tokenizer_path, checkpoint.tokenizer["model"]
        ids, merges = model.get("vocab") or {}, [_pair(path, m) for m in model.get("merges") or []]
        stored = bool(checkpoint.tokenizer["pre_tokenizer"].get("add_prefix_space", True))
    return {
        "vocabulary": _vocabulary(checkpoint, path, ids),
        "merges": merges,
        "add_prefix_space": _prefix_space(checkpoint, stored),
        "style": style,
        "compose": compose,
        "added_tokens": added,
    }


def _default_class(checkpoint: TokenizerFiles) -> str:
    """Return the class of transformers that reads the folder if no file names one."""
    if (name := _DEFAULTS.get(str(checkpoint.model.get("model_type")))) is not None:
        return name
    is_gpt2 = not checkpoint.model and _has_end_of_text(checkpoint)
    return "GPT2Tokenizer" if is_gpt2 else "RobertaTokenizer"


def _has_end_of_text(checkpoint: TokenizerFiles) -> bool:
    """Return whether the special tokens are GPT-2's, not RoBERTa's, by the vocabulary."""
    if checkpoint.tokenizer is None:
        ids = read_json(checkpoint.folder / "vocab.json")
    else:
        ids = checkpoint.tokenizer["model"].get("vocab") or {}
    start, end = (STYLES[name].specials[0] for name in ("roberta", "gpt2"))
    return end in ids and start not in ids


def _style(checkpoint: TokenizerFiles) -> str:
    """Return the style whose first token tokenizer.json puts before a text."""
    processor = (checkpoint.tokenizer or {}).get("post_processor") or {}
    if processor.get("type", "ByteLevel") == "ByteLevel" and _has_end_of_text(checkpoint):
        return "gpt2"
    pieces = template(processor.get("single")) if processor.get("type") != "none" else []
    starts = {STYLES[name].specials[0]: name for name in _STYLES}
    return starts.get(pieces[0].rpartition(":")[0], "roberta") if pieces else "roberta"


def _added_tokens(checkpoint: TokenizerFiles, style: str) -> list[AddedToken]:
    """Return the tokens that tokenizer.json adds, without the special tokens of the style."""
    tokens, path, own = [], checkpoint.tokenizer_path, STYLES[style].roles.values()
    for entry in (checkpoint.tokenizer or {}).get("added_tokens") or ():
        content, number = content_of(entry), entry.get("id")
        if content in own or content is None:
            continue
        for option in ("single_word", "lstrip", "rstrip"):
            if entry.get(option):
                raise file_error(path, f"adds {content!r} with {option}, which is not supported")
        special = bool(entry.get("special"))
        normalized = bool(entry.get("normalized", not special))
        tokens.append(AddedToken(content, number, normalized, special))
    known = {token.content: token.id for token in tokens}
    decoder = checkpoint.config.get("added_tokens_decoder") or {}
    for file, entries in (
        (CONFIG, [(content_of(entry), int(number)) for number, entry in decoder.items()]),
        (ADDED, list(checkpoint.added.items())),
    ):
        for content, number in entries:
            if content not in own and known.get(str(content)) != number:
                raise file_error(
                    checkpoint.folder / file,
                    f"adds {content!r} with id {number}, which {TOKENIZER} does not; make them "
                    "agree",
                )
    return tokens


def _vocabulary(checkpoint: TokenizerFiles, path: pathlib.Path, ids: dict[str, int]) -> list[str]:
    """Return the tokens by id; special tokens may be in the files' added tokens only."""
    added = (checkpoint.tokenizer or {}).get("added_tokens", ())
    extra = {str(content_of(entry)): entry.get("id") for entry in added}
    return tokens_by_id(path, {**extra, **checkpoint.added, **ids})


def _prefix_space(checkpoint: TokenizerFiles, stored: bool | None) -> bool:
    """Return `add_prefix_space`; refuse two files that disagree."""
    value = checkpoint.config.get("add_prefix_space")
    if value is not None and not isinstance(value, bool):
        raise file_error(
            checkpoint.config_path,
            f"has add_prefix_space {value!r}, which is neither true nor false",
        )
    if stored is not None and value is not None and stored != value:
        raise file_error(
            checkpoint.folder,
            f"has add_prefix_space {value} in {CONFIG}, but {stored} in {TOKENIZER}; "
            "make them agree",
        )
    return bool(stored if value is None else value)


def _check_tokenizer(checkpoint: TokenizerFiles, is_free: bool) -> bool:
    """Check tokenizer.json, and return whether it normalizes texts to NFC.

    Args:
        checkpoint: the checkpoint's files.
        is_free: whether the checkpoint's class follows the file's normalizer.
    """
    path, content = checkpoint.tokenizer_path, checkpoint.tokenizer or {}
    model, splitting = content["model"], content.get("pre_tokenizer") or {}
    kind = (content.get("normalizer") or {}).get("type")
    if kind is not None and (kind != "NFC" or not is_free):
        allowed = "NFC" if is_free else "none"
        raise file_error(
            path, f"has normalizer {kind}, but with byte-level BPE {allowed} is supported"
        )
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
    return kind == "NFC"


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
    style: str = "roberta",
    compose: bool = False,
    added_tokens: Sequence[AddedToken] = (),
    max_length: int | None = None,
    cut_side: str | None = None,
) -> None:
    """Write the files that `read` and transformers read.

    They are vocab.json, merges.txt and tokenizer_config.json or, for what RobertaTokenizer and
    GPT2Tokenizer do not compute, tokenizer.json and tokenizer_config.json.

    Raises:
        ValueError: if the folder has a tokenizer.json.
    """
    if (folder / TOKENIZER).exists():
        raise ValueError(f"`folder` must hold no {TOKENIZER}. Received: {folder}.")
    ids = {token: index for index, token in enumerate(vocabulary)}
    roles = {role: token for role, token in STYLES[style].roles.items() if token in ids}
    names = {style: name for name, style in CLASSES.items()}
    config: dict[str, Any] = {"tokenizer_class": names.get(style), **roles}
    if style in names and not compose and not added_tokens:
        files.write_text(folder / "vocab.json", json.dumps(ids, ensure_ascii=False) + "\n")
        lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
        files.write_text(folder / "merges.txt", "".join(f"{line}\n" for line in lines))
        config["add_prefix_space"] = add_prefix_space
    else:
        content = _byte_pair_json.content(
            ids,
            merges,
            add_prefix_space=add_prefix_space,
            style=STYLES[style],
            compose=compose,
            added_tokens=added_tokens,
        )
        files.write_text(folder / TOKENIZER, json.dumps(content, ensure_ascii=False) + "\n")
        config["tokenizer_class"] = "PreTrainedTokenizerFast"
        config["model_input_names"] = ["input_ids", "attention_mask"]
    # With it, transformers would split added tokens that are special too.
    splits = not any(token.special for token in added_tokens)
    config |= written_settings(max_length, cut_side, splits_special_tokens=splits)
    files.write_json(folder / CONFIG, config)
