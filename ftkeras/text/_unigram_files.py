"""Read and write the files of a SentencePiece unigram tokenizer in a Hugging Face folder."""

import base64
import binascii
import logging
import pathlib
from typing import Any

import numpy as np

from ftkeras.support import files
from ftkeras.text import _albert_files, _sentencepiece_model
from ftkeras.text._frames import STYLES
from ftkeras.text._roberta_files import check_frame, check_tokens
from ftkeras.text._sentencepiece_model import NORMAL, SPACE
from ftkeras.text._tokenizer_files import (
    CONFIG,
    SENTENCEPIECE,
    TOKENIZER,
    TokenizerFiles,
    file_error,
    written_settings,
)
from ftkeras.text._tokenizer_settings import (
    ANY_TOKENIZER,
    check_class,
    content_of,
    tokenizer_class,
)
from ftkeras.text._unigram_layouts import ALBERT, DEBERTA, LAYOUTS, Layout

# The normalizers that transformers 5 writes for DeBERTa instead of the model's own rules.
_NFC = ["Replace", "NFC", "Strip"]
# By the model_type of config.json, if no file names a class.
_DEFAULTS = {
    "camembert": "CamembertTokenizer",
    "albert": ALBERT,
    "deberta-v2": DEBERTA,
    "xlnet": "XLNetTokenizer",
    "t5": "T5Tokenizer",
}
# By the first token of tokenizer.json, if its class is a generic one.
_CLASSES_BY_FIRST_TOKEN = {
    "<s>NOTUSED": "CamembertTokenizer", "[PAD]": DEBERTA, "<pad>": ALBERT
}  # fmt: skip
Pieces = list[tuple[str, float]]
log = logging.getLogger(__name__)


def default_class(checkpoint: TokenizerFiles) -> str:
    """Return the class of transformers that reads the folder if no file names one."""
    return _DEFAULTS.get(str(checkpoint.model.get("model_type")), "XLMRobertaTokenizer")


def read(folder: pathlib.Path) -> dict[str, Any]:
    """Return the arguments of Unigram that the folder's files describe.

    Raises:
        UserError: naming the file and the setting that is not supported, or in what files differ.
        ValueError: if the SentencePiece model is not one.
    """
    checkpoint = TokenizerFiles.read(folder)
    default = default_class(checkpoint)
    supported = f"of SentencePiece only {', '.join(LAYOUTS)} are supported"
    check_class(checkpoint, default, tuple(LAYOUTS), supported)
    if checkpoint.config.get("add_prefix_space") is False:
        path = checkpoint.config_path
        raise file_error(path, "has add_prefix_space False, which is not supported")
    name = tokenizer_class(checkpoint, default)[0]
    path, pieces, charsmap = model_path(folder), None, None
    if checkpoint.tokenizer is not None:
        pieces = _pieces(checkpoint)
        if name in ANY_TOKENIZER:
            name = _CLASSES_BY_FIRST_TOKEN.get(pieces[0][0], "XLMRobertaTokenizer")
    name = name.removesuffix("Fast")
    layout = LAYOUTS[name]
    style = STYLES[layout.style]
    settings = _albert_files.read_settings(checkpoint) if layout.normalizes else {}
    if checkpoint.tokenizer is not None:
        check_frame(checkpoint, default, style)
        _check_unknown(checkpoint, layout)
        charsmap = _charsmap(checkpoint, path, settings)
    check_tokens(checkpoint, "SentencePiece", style, layout.head or tuple(style.roles.values()))
    for key in layout.refused:
        if checkpoint.config.get(key):
            raise file_error(checkpoint.config_path, f"has {key} true, which is not supported")
    if path is not None:
        model = path.read_bytes()
        vocabulary = _stored_vocabulary(checkpoint, path, model, layout, pieces, charsmap)
    else:
        assert pieces is not None, "TokenizerFiles.read finds a model or tokenizer.json"
        model, vocabulary = _built_model(checkpoint, pieces, layout, charsmap)
    return {"model": model, "vocabulary": vocabulary, "layout": name, **settings}


def _stored_vocabulary(
    checkpoint: TokenizerFiles,
    path: pathlib.Path,
    model: bytes,
    layout: Layout,
    pieces: Pieces | None,
    charsmap: bytes | None,
) -> list[str]:
    """Return the vocabulary of the checkpoint's model; tokenizer.json must have the same."""
    stored = _from_model(path, model, layout)
    if pieces is not None:
        _compare(checkpoint, path, stored, pieces)
        if charsmap is not None:
            _compare_charsmaps(checkpoint, path, model, charsmap)
        if _sentencepiece_model.parse(model).trainer.byte_fallback:
            log.warning(
                "%s encodes unknown characters as bytes, and ftkeras does the same; %s would give "
                "%s instead",
                *(path, TOKENIZER, STYLES[layout.style].specials[3]),
            )
    return [piece for piece, _ in stored]


def _built_model(
    checkpoint: TokenizerFiles, pieces: Pieces, layout: Layout, charsmap: bytes | None
) -> tuple[bytes, list[str]]:
    """Return a SentencePiece model of what tokenizer.json has, and the vocabulary."""
    _check_head(checkpoint.tokenizer_path, pieces, layout)
    own = [(piece, score, NORMAL) for piece, score in pieces[len(layout.head) :]]
    own = own[len(layout.first) - layout.omitted : len(own) - layout.adds_mask]
    model = _sentencepiece_model.build([*layout.first, *own], charsmap or b"")
    return model, [piece for piece, _ in pieces]


def model_path(folder: pathlib.Path) -> pathlib.Path | None:
    """Return the path of the folder's SentencePiece model, or None.

    Raises:
        UserError: if there are several.
    """
    paths = [folder / name for name in SENTENCEPIECE if (folder / name).is_file()]
    if len(paths) > 1:
        raise file_error(folder, f"has both {paths[0].name} and {paths[1].name}; keep one of them")
    return paths[0] if paths else None


def _pieces(checkpoint: TokenizerFiles) -> Pieces:
    """Return the pieces and scores of tokenizer.json, by id."""
    path, model = checkpoint.tokenizer_path, (checkpoint.tokenizer or {})["model"]
    if model.get("byte_fallback"):
        raise file_error(path, "has byte_fallback True, but only False is supported")
    entries = model.get("vocab") or []
    try:
        pieces = [(str(piece), float(score)) for piece, score in entries]
    except (TypeError, ValueError):
        raise file_error(path, "has a vocab that is not a list of pieces and scores") from None
    if not pieces:
        raise file_error(path, "has an empty vocab")
    # DeBERTa's mask is not among the pieces.
    tokens = (checkpoint.tokenizer or {}).get("added_tokens") or ()
    added = {token.get("id"): token for token in tokens}
    if (last := added.get(len(pieces))) is not None:
        pieces.append((str(content_of(last)), 0.0))
    return pieces


def _check_unknown(checkpoint: TokenizerFiles, layout: Layout) -> None:
    unknown, wanted = (checkpoint.tokenizer or {})["model"].get("unk_id"), layout.unknown_id
    if unknown != wanted:
        raise file_error(
            checkpoint.tokenizer_path, f"has unk_id {unknown!r}, but only {wanted} is supported"
        )


def _parts(part: dict[str, Any] | None, name: str) -> list[dict[str, Any]]:
    """Return the steps of a normalizer or pre-tokenizer, which may be a sequence."""
    if not part:
        return []
    return part.get(name) or [] if part.get("type") == "Sequence" else [part]


def _charsmap(
    checkpoint: TokenizerFiles, model: pathlib.Path | None, settings: dict[str, bool]
) -> bytes | None:
    """Return the compiled normalization rules of tokenizer.json; check all that affects ids.

    Args:
        checkpoint: the checkpoint's files.
        model: the path of the SentencePiece model, or None.
        settings: ALBERT's, or none.

    Returns:
        None if transformers 5 has replaced DeBERTa's rules; then those of the model count, which
        the checkpoint was trained with.
    """
    path, charsmap = checkpoint.tokenizer_path, ""
    steps = _parts((checkpoint.tokenizer or {}).get("normalizer"), "normalizers")
    if settings:
        steps = _albert_files.without_settings(checkpoint, settings)
    if [step.get("type") for step in steps] == _NFC:
        if model is None:
            raise file_error(
                path,
                "lacks the model's normalization rules, which transformers 5 does not write; add "
                f"the original checkpoint's {LAYOUTS[DEBERTA].file}",
            )
        log.warning("%s normalizes by other rules than %s, whose rules are used", path, model.name)
        return None
    for step in steps:
        # The model itself strips the ends of texts, and joins spaces.
        joins = step.get("type") == "Replace" and step.get("pattern") == {"Regex": " {2,}"}
        if step.get("type") == "Precompiled":
            charsmap = step.get("precompiled_charsmap") or ""
        elif step.get("type") != "Strip" and not joins:
            raise file_error(
                path, f"has normalizer {step.get('type')}, but only Precompiled is supported"
            )
    _check_pre_tokenizer(checkpoint)
    try:
        return base64.b64decode(charsmap, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise file_error(path, "has a precompiled_charsmap that is not base64") from None


def _check_pre_tokenizer(checkpoint: TokenizerFiles) -> None:
    """Raise UserError unless tokenizer.json splits texts into words as SentencePiece does."""
    path = checkpoint.tokenizer_path
    steps = _parts((checkpoint.tokenizer or {}).get("pre_tokenizer"), "pretokenizers")
    kinds = [step.get("type") for step in steps]
    if kinds not in (["Metaspace"], ["WhitespaceSplit", "Metaspace"]):
        named = ", ".join(map(str, kinds)) or "none"
        raise file_error(path, f"has pre_tokenizer {named}, but only Metaspace is supported")
    space = steps[-1]
    scheme = space.get("prepend_scheme", "always")
    if space.get("replacement", SPACE) != SPACE or scheme == "never":
        raise file_error(
            path, "has a pre_tokenizer that does not put '▁' before words, as SentencePiece does"
        )


def _check_head(path: pathlib.Path, pieces: Pieces, layout: Layout) -> None:
    wanted = [*layout.head, *(piece for piece, _, _ in layout.first[layout.omitted :])]
    received, mask = [piece for piece, _ in pieces[: len(wanted)]], STYLES[layout.style].mask
    if received != wanted or (layout.adds_mask and pieces[-1][0] != mask):
        raise file_error(
            path,
            f"has a vocab from {', '.join(received)} to {pieces[-1][0]}, but only one from "
            f"{', '.join(wanted)} to {mask} is supported",
        )


def _from_model(path: pathlib.Path, content: bytes, layout: Layout) -> Pieces:
    """Return the vocabulary and the scores that transformers makes of a model."""
    own = [(piece.piece, piece.score) for piece in _sentencepiece_model.parse(content).pieces]
    first, wanted = [piece for piece, _ in own], [piece for piece, _, _ in layout.first]
    if (received := first[: len(wanted)]) != wanted:
        raise file_error(
            path,
            f"has first pieces {', '.join(received)}, but only {', '.join(wanted)} are supported",
        )
    special = [(token, 0.0) for token in layout.head]
    mask = [(STYLES[layout.style].mask, 0.0)] * layout.adds_mask
    return [*special, *own[layout.omitted :], *mask]


def _compare(
    checkpoint: TokenizerFiles, path: pathlib.Path, stored: Pieces, pieces: Pieces
) -> None:
    """Raise UserError if the model and tokenizer.json have other pieces or scores."""
    special = {token for layout in LAYOUTS.values() for token in layout.head}
    for layout in LAYOUTS.values():
        special.update(STYLES[layout.style].roles.values())
    for index in range(max(len(stored), len(pieces))):
        ours, theirs = (part[index] if index < len(part) else None for part in (stored, pieces))
        if ours and theirs and ours[0] == theirs[0]:  # scores of special tokens have no effect
            same = np.float32(ours[1]) == np.float32(theirs[1])
            if same or ours[0] in special:
                continue
        raise file_error(
            checkpoint.folder,
            f"has a {path.name} with {ours} at id {index}, but a {TOKENIZER} with {theirs}; make "
            "them agree",
        )


def _compare_charsmaps(
    checkpoint: TokenizerFiles, path: pathlib.Path, content: bytes, charsmap: bytes
) -> None:
    own = _sentencepiece_model.parse(content).normalizer.precompiled_charsmap
    if own != charsmap:
        raise file_error(
            checkpoint.folder,
            f"has a {path.name} and a {TOKENIZER} that normalize texts by different rules "
            "(precompiled_charsmap); make them agree",
        )


def write(
    folder: pathlib.Path,
    *,
    model: bytes,
    layout: str,
    max_length: int | None = None,
    cut_side: str | None = None,
    **settings: bool,
) -> None:
    """Write the model and tokenizer_config.json, which `read` and transformers read.

    Args:
        folder: the folder to write to.
        model: content of the model's file.
        layout: a key of `LAYOUTS`.
        max_length: the tokens that transformers truncates texts to; None for no limit.
        cut_side: where it does: right or left; None for its default.
        **settings: ALBERT's, as `read` returns them.

    Raises:
        ValueError: if the folder has a tokenizer.json.
    """
    if (folder / TOKENIZER).exists():
        raise ValueError(f"`folder` must hold no {TOKENIZER}. Received: {folder}.")
    with files.replacing(folder / LAYOUTS[layout].file) as path:
        path.write_bytes(model)
    roles = STYLES[LAYOUTS[layout].style].roles
    config: dict[str, Any] = {"tokenizer_class": layout, **roles}
    config |= written_settings(max_length, cut_side)
    if settings:
        config |= _albert_files.to_config(**settings)
    files.write_json(folder / CONFIG, config)
