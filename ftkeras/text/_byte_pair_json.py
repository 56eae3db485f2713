"""The tokenizer.json of byte-level BPE."""

from collections.abc import Mapping, Sequence
from typing import Any

from ftkeras.text._added_tokens import AddedToken
from ftkeras.text._frames import Style


def content(
    ids: Mapping[str, int],
    merges: Sequence[tuple[str, str]],
    *,
    add_prefix_space: bool,
    style: Style,
    compose: bool,
    added_tokens: Sequence[AddedToken],
) -> dict[str, Any]:
    """Return the content of a tokenizer.json.

    Args:
        ids: of all tokens, with the added ones.
        merges: pairs of tokens that become one.
        add_prefix_space: whether a text that does not start with a space gets one.
        style: names the special tokens, and frames texts.
        compose: whether texts are normalized to NFC.
        added_tokens: tokens that are recognized in texts.
    """
    own = [AddedToken(t, ids[t]) for t in {*style.specials, style.mask} if t in ids]
    added = sorted([*own, *added_tokens], key=lambda token: token.id)
    # Tokens after the model's own vocabulary are in the list of added tokens only.
    first = _first_outside(ids, added)
    level = {"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_entry(token) for token in added],
        "normalizer": {"type": "NFC"} if compose else None,
        "pre_tokenizer": {**level, "use_regex": True},
        "post_processor": _frame(ids, style) if style.framed else {**level, "use_regex": True},
        "decoder": {**level, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for token, number in ids.items() if number < first},
            "merges": [list(pair) for pair in merges],
        },
    }


def _first_outside(ids: Mapping[str, int], added: Sequence[AddedToken]) -> int:
    """Return the id from which on all tokens are added ones."""
    first, numbers = len(ids), {token.id for token in added}
    while first - 1 in numbers:
        first -= 1
    return first


def _entry(token: AddedToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "content": token.content,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": token.normalized,
        "special": token.special,
    }


def _frame(ids: Mapping[str, int], style: Style) -> dict[str, Any]:
    start, _, end, _ = style.specials

    def special(token: str) -> dict[str, Any]:
        return {"SpecialToken": {"id": token, "type_id": 0}}

    def text(name: str) -> dict[str, Any]:
        return {"Sequence": {"id": name, "type_id": 0}}

    single = [special(start), text("A"), special(end)]
    between = [special(end)] * (style.between - 1)
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, *between, text("B"), special(end)],
        "special_tokens": {
            token: {"id": token, "ids": [ids[token]], "tokens": [token]} for token in (start, end)
        },
    }
