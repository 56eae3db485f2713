"""Checks of special tokens and frames that byte-level BPE and SentencePiece have in common."""

import re
from collections.abc import Collection, Iterator
from typing import Any

from ftkeras.text._frames import Style
from ftkeras.text._tokenizer_files import (
    ADDED,
    CONFIG,
    SPECIALS,
    TOKENIZER,
    TokenizerFiles,
    file_error,
)
from ftkeras.text._tokenizer_settings import ANY_TOKENIZER, content_of, template, tokenizer_class

# Pieces of mDeBERTa's vocabulary that no text has; newer files list them as added tokens.
_UNUSED = re.compile(r"▁<extra_id_\d+>")


def check_tokens(
    checkpoint: TokenizerFiles, model: str, style: Style, more: Collection[str] = ()
) -> None:
    """Raise UserError unless special tokens are the style's, and there are no other added tokens.

    Args:
        checkpoint: the checkpoint's files.
        model: for messages: what does not support them.
        style: names the special tokens.
        more: further tokens that may be added, as they are in the vocabulary anyway.
    """
    roles = style.roles
    for content, file in ((checkpoint.config, CONFIG), (checkpoint.specials, SPECIALS)):
        for role, wanted in roles.items():
            if (token := content_of(content.get(role))) not in (None, wanted):
                raise file_error(
                    checkpoint.folder / file,
                    f"has {role} {token!r}, but only {wanted!r} is supported",
                )
        for name in ("additional_special_tokens", "extra_special_tokens"):
            tokens = content.get(name) or ()
            tokens = tokens.values() if isinstance(tokens, dict) else tokens
            if not all(_may_be_added(content_of(token), more) for token in tokens):
                raise file_error(
                    checkpoint.folder / file, f"has {name}, which is not supported with {model}"
                )
    if (side := checkpoint.config.get("padding_side")) not in (None, "right"):
        raise file_error(
            checkpoint.config_path, f"has padding_side {side!r}, but only 'right' is supported"
        )
    for file, token in _added(checkpoint):
        if not _may_be_added(token, (*roles.values(), *more)):
            raise file_error(
                checkpoint.folder / file,
                f"adds {token!r}, but with {model} only {', '.join(roles.values())} are "
                "supported as added tokens",
            )


def _may_be_added(token: Any, known: Collection[str]) -> bool:
    return token in known or _UNUSED.fullmatch(str(token)) is not None


def _added(checkpoint: TokenizerFiles) -> Iterator[tuple[str, Any]]:
    """Yield the file and the content of each added token."""
    for entry in (checkpoint.tokenizer or {}).get("added_tokens") or ():
        yield TOKENIZER, content_of(entry)
    for entry in (checkpoint.config.get("added_tokens_decoder") or {}).values():
        yield CONFIG, content_of(entry)
    for token in checkpoint.added:
        yield ADDED, token


def check_frame(checkpoint: TokenizerFiles, default: str, style: Style) -> None:
    """Raise UserError unless tokenizer.json frames texts and pairs of texts as the style does.

    Args:
        checkpoint: the checkpoint's files, with a tokenizer.json.
        default: the class of transformers if no file names one.
        style: the tokenizer's.
    """
    content, path = checkpoint.tokenizer or {}, checkpoint.tokenizer_path
    if (content.get("padding") or {}).get("direction", "Right") != "Right":
        raise file_error(path, "pads on the left, but only padding on the right is supported")
    processor = content.get("post_processor") or {"type": "none"}
    if not style.framed:
        if processor["type"] not in ("none", "ByteLevel"):
            raise file_error(
                path,
                f"has a post_processor ({processor['type']}), but only texts without special "
                "tokens are supported, as GPT-2 has them",
            )
        return
    if tokenizer_class(checkpoint, default)[0] not in ANY_TOKENIZER:
        return  # the other classes add the special tokens themselves
    if not _frames(processor, style):
        start, _, end, _ = style.specials
        raise file_error(
            path,
            f"has a post_processor ({processor['type']}) that does not give {start} a "
            f"{end * style.between} b {end}",
        )


def _frames(processor: dict[str, Any], style: Style) -> bool:
    """Return whether a post-processor adds the special tokens of the style."""
    start, _, end, _ = style.specials
    if processor["type"] == "RobertaProcessing":
        given = processor["cls"][0], processor["sep"][0]
        return given == (start, end) and style.between == 2
    single = [start, "A", end]
    pair = [*single, *[end] * (style.between - 1), "B", end]
    return processor["type"] == "TemplateProcessing" and [
        [piece.rpartition(":")[0] for piece in template(processor.get(name))]
        for name in ("single", "pair")
    ] == [single, pair]
