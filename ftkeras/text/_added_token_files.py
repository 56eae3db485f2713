"""Find the tokens that a checkpoint's files add to its vocabulary, and write them."""

import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

from ftkeras.text._added_tokens import AddedToken
from ftkeras.text._tokenizer_files import (
    ADDED,
    CONFIG,
    SPECIALS,
    TOKENIZER,
    TokenizerFiles,
    file_error,
)
from ftkeras.text._tokenizer_settings import built_in, content_of

_NAMED = ("additional_special_tokens", "extra_special_tokens")


def find(checkpoint: TokenizerFiles, vocabulary: Sequence[str]) -> list[AddedToken]:
    """Return the added tokens by id, without the tokenizer's own special tokens.

    Args:
        checkpoint: the checkpoint's files.
        vocabulary: without added tokens.

    Raises:
        UserError: if the files disagree, or a token can't be recognized as the reference does.
    """
    ids = {token: index for index, token in enumerate(vocabulary)}
    tokens = _declared(checkpoint)
    tokens.sort(key=lambda token: token.id)
    for token in tokens:
        if (wanted := ids.setdefault(token.content, len(ids))) != token.id:
            raise file_error(
                checkpoint.folder,
                f"adds {token.content!r} with id {token.id}, but it would be {wanted}: ids of "
                "added tokens must follow the vocabulary without a gap",
            )
    declared = {token.content for token in tokens}
    for name in _named(checkpoint):
        content = str(content_of(name))
        if content in declared or content in built_in(checkpoint):
            continue
        declared.add(content)
        options = name if isinstance(name, dict) else {}
        entry = {**options, "special": True}
        index = ids.setdefault(content, len(ids))
        tokens.append(_token(checkpoint.folder, content, index, entry))
    check_split(checkpoint, tokens)
    return sorted(tokens, key=lambda token: token.id)


def check_split(checkpoint: TokenizerFiles, tokens: Sequence[AddedToken]) -> None:
    """Raise UserError if added tokens would be split in texts, as no tokenizer here does it."""
    special = [token.content for token in tokens if token.special]
    if special and checkpoint.config.get("split_special_tokens"):
        raise file_error(
            checkpoint.config_path,
            f"has split_special_tokens True, which is not supported with {special[0]!r}, an added "
            "token that is special",
        )


def _declared(checkpoint: TokenizerFiles) -> list[AddedToken]:
    """Return the tokens that files give an id for."""
    sources = {}
    if checkpoint.tokenizer is not None:
        path = checkpoint.folder / TOKENIZER
        entries = checkpoint.tokenizer.get("added_tokens") or []
        sources[TOKENIZER] = _tokens(checkpoint, path, ((e.get("id"), e) for e in entries))
    if (decoder := checkpoint.config.get("added_tokens_decoder")) is not None:
        sources[CONFIG] = _tokens(checkpoint, checkpoint.folder / CONFIG, decoder.items())
    if len(sources) == 2 and (differing := set(sources[TOKENIZER]) ^ set(sources[CONFIG])):
        token = min(differing, key=lambda token: token.id)
        raise file_error(
            checkpoint.folder,
            f"has a {TOKENIZER} and a {CONFIG} that add different tokens, such as "
            f"{token.content!r}; make them agree",
        )
    tokens = list(next(iter(sources.values()), []))
    legacy = _tokens(checkpoint, checkpoint.folder / ADDED, _legacy(checkpoint))
    if not sources:
        return legacy
    known = {(token.content, token.id) for token in tokens}
    for token in legacy:
        if (token.content, token.id) not in known:
            raise file_error(
                checkpoint.folder / ADDED,
                f"adds {token.content!r}, which {next(iter(sources))} does not; make them agree",
            )
    return tokens


def _legacy(checkpoint: TokenizerFiles) -> Iterable[tuple[Any, dict]]:
    """Yield the tokens of added_tokens.json, with the options that transformers gives to them.

    Its version 5 does not see the additional_special_tokens of special_tokens_map.json here.
    """
    specials = {k: v for k, v in checkpoint.specials.items() if k != "additional_special_tokens"}
    named = {content_of(name) for name in _named(checkpoint._replace(specials=specials))}
    for content, index in checkpoint.added.items():
        yield index, {"content": content, "special": content in named}


def _named(checkpoint: TokenizerFiles) -> list[Any]:
    """Return the additional special tokens, each a string or an object with options."""
    lists = []
    for content, file in ((checkpoint.config, CONFIG), (checkpoint.specials, SPECIALS)):
        names = []
        for key, value in content.items():
            if key in _NAMED:
                names += list(value.values()) if isinstance(value, dict) else list(value or [])
            elif key.endswith("_token") and content_of(value) is not None:
                names.append(value)
        if any(content_of(name) is None for name in names):
            path = checkpoint.folder / file
            raise file_error(path, f"has a token that is no string among {names}")
        lists.append(names)
    return [*lists[0], *lists[1]]


def _tokens(
    checkpoint: TokenizerFiles, path: pathlib.Path, entries: Iterable[tuple[Any, Any]]
) -> list[AddedToken]:
    tokens, own = [], built_in(checkpoint)
    for index, entry in entries:
        if not isinstance(entry, dict) or content_of(entry) is None or not str(index).isdigit():
            raise file_error(path, f"has an added token that can't be read: {index!r}: {entry!r}")
        if entry["content"] not in own:
            tokens.append(_token(path, entry["content"], int(index), entry))
    return tokens


def _token(path: pathlib.Path, content: str, index: int, options: dict[str, Any]) -> AddedToken:
    # lstrip and rstrip take spaces beside the token, which are no tokens anyway.
    if not content:
        raise file_error(path, "adds an empty token")
    if options.get("single_word"):
        raise file_error(
            path, f"adds {content!r} with single_word, which is not supported; set it to false"
        )
    special = bool(options.get("special", False))
    return AddedToken(content, index, bool(options.get("normalized", not special)), special)


def entries(
    vocabulary: Sequence[str], added: Sequence[AddedToken], specials: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return `added_tokens_decoder` for tokenizer_config.json, with the special tokens.

    Args:
        vocabulary: without added tokens.
        added: the added tokens.
        specials: the tokenizer's own special tokens.
    """
    ids = {token: index for index, token in enumerate(vocabulary)}
    own = [AddedToken(token, ids[token]) for token in dict.fromkeys(specials) if token in ids]
    return {
        str(token.id): {
            "content": token.content,
            "lstrip": False,
            "normalized": token.normalized,
            "rstrip": False,
            "single_word": False,
            "special": token.special,
        }
        for token in sorted([*own, *added], key=lambda token: token.id)
    }
