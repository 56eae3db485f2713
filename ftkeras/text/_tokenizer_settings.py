"""Follow the settings in a tokenizer's files that change ids, or refuse them by name."""

import logging
from collections.abc import Collection
from typing import Any

from ftkeras.text._frames import STYLES
from ftkeras.text._tokenizer_files import CONFIG, SPECIALS, TOKENIZER, TokenizerFiles, file_error

log = logging.getLogger(__name__)

_TYPES = {
    "normalizer": "BertNormalizer",
    "pre_tokenizer": "BertPreTokenizer",
    "model": "WordPiece",
}
_MODEL = {"continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "unk_token": "[UNK]"}
# Classes of transformers that compute the same; without "Fast".
_CLASSES = (
    "BertTokenizer",
    "ConvBertTokenizer",
    "DistilBertTokenizer",
    "ElectraTokenizer",
    "MobileBertTokenizer",
    "SqueezeBertTokenizer",
)
# Classes that compute what tokenizer.json says, whatever tokenizer_config.json has.
ANY_TOKENIZER = ("PreTrainedTokenizerFast", "TokenizersBackend")
_CONFIG = {
    "do_basic_tokenize": True,
    "clean_text": True,
    "wordpieces_prefix": "##",
    "padding_side": "right",
}
_MPNET = "MPNetTokenizer"
# The special tokens that files may name, by the tokenizer's style.
_ROLES = {
    "bert": {
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
    },
    "mpnet": STYLES["mpnet"].roles,
}
# Argument of WordPiece: (key of tokenizer_config.json, key of tokenizer.json's normalizer, default)
_NORMALIZATION = {
    "lowercase": ("do_lower_case", "lowercase", True),
    "strip_accents": ("strip_accents", "strip_accents", None),
    "split_chinese": ("tokenize_chinese_chars", "handle_chinese_chars", True),
}


def check(checkpoint: TokenizerFiles) -> None:
    """Raise UserError if the files describe what WordPiece does not compute."""
    supported = "only BERT's is supported (BertTokenizer), and MPNet's"
    check_class(checkpoint, _default_class(checkpoint), (*_CLASSES, _MPNET), supported)
    _check_config(checkpoint)
    _check_roles(checkpoint)
    if checkpoint.tokenizer is not None:
        _check_tokenizer(checkpoint)


def style_of(checkpoint: TokenizerFiles) -> str:
    """Return the key of `STYLES` for a WordPiece tokenizer: bert or mpnet."""
    name = tokenizer_class(checkpoint, _default_class(checkpoint))[0]
    if name in ANY_TOKENIZER:
        processor = (checkpoint.tokenizer or {}).get("post_processor") or {}
        return "mpnet" if processor.get("type") == "RobertaProcessing" else "bert"
    return "mpnet" if name.removesuffix("Fast") == _MPNET else "bert"


def _default_class(checkpoint: TokenizerFiles) -> str:
    """Return the class of transformers that reads the folder if no file names one."""
    return _MPNET if checkpoint.model.get("model_type") == "mpnet" else "BertTokenizer"


def content_of(token: Any) -> str | None:
    """Return the string of a token, which may be an object with its options, or None."""
    token = token.get("content") if isinstance(token, dict) else token
    return token if isinstance(token, str) else None


def built_in(checkpoint: TokenizerFiles) -> set[str]:
    """Return the tokenizer's own special tokens, which are plain text where a text contains them.

    MPNet's vocabulary has <unk> too, which no text becomes.
    """
    style = style_of(checkpoint)
    if style == "mpnet":
        return {*_ROLES[style].values(), "<unk>"}
    sources = checkpoint.config, checkpoint.specials
    masks = [content_of(source.get("mask_token")) for source in sources]
    return {*_ROLES[style].values(), "[MASK]", *(mask for mask in masks if mask is not None)}


def tokenizer_class(checkpoint: TokenizerFiles, default: str = "BertTokenizer") -> tuple[str, str]:
    """Return the class of transformers that the checkpoint names, and the file that names it."""
    for content, name in ((checkpoint.config, CONFIG), (checkpoint.model, "config.json")):
        if content.get("tokenizer_class"):
            return str(content["tokenizer_class"]), name
    return default, CONFIG


def check_class(
    checkpoint: TokenizerFiles, default: str, classes: Collection[str], supported: str
) -> None:
    """Raise UserError unless the checkpoint's tokenizer class is one of these or a generic one.

    Args:
        checkpoint: the checkpoint's files.
        default: the class if no file names one.
        classes: names without "Fast".
        supported: for the message, such as "only BERT's is supported".
    """
    name, file = tokenizer_class(checkpoint, default)
    if name in ANY_TOKENIZER and checkpoint.tokenizer is None:
        raise file_error(checkpoint.folder, f"has no {TOKENIZER}, which the {name} of {file} needs")
    if name not in ANY_TOKENIZER and name.removesuffix("Fast") not in classes:
        raise file_error(checkpoint.folder / file, f"has tokenizer_class {name!r}, but {supported}")
    own = checkpoint.config.get("auto_map")
    if own and (not isinstance(own, dict) or "AutoTokenizer" in own):
        raise file_error(checkpoint.config_path, "has a tokenizer with code of its own (auto_map)")


def _check_config(checkpoint: TokenizerFiles) -> None:
    for key, wanted in _CONFIG.items():
        if (value := checkpoint.config.get(key)) not in (None, wanted):
            raise file_error(
                checkpoint.config_path, f"has {key} {value!r}, but only {wanted!r} is supported"
            )
    never_split = checkpoint.config.get("never_split") or []
    if unknown := [token for token in never_split if token not in built_in(checkpoint)]:
        if checkpoint.tokenizer is None:
            raise file_error(
                checkpoint.config_path, f"has never_split {unknown[0]!r}, which is not supported"
            )
        # transformers does not follow it either if it has that file.
        log.warning("%s has never_split, which %s ignores", checkpoint.config_path, TOKENIZER)
    if checkpoint.config.get("truncation_side") == "left":
        log.warning(
            "%s has truncation_side 'left', which is ignored; truncation=tail keeps the end of "
            "long texts",
            checkpoint.config_path,
        )


def _check_roles(checkpoint: TokenizerFiles) -> None:
    for content, file in ((checkpoint.config, CONFIG), (checkpoint.specials, SPECIALS)):
        for role, wanted in _ROLES[style_of(checkpoint)].items():
            if (token := content_of(content.get(role))) not in (None, wanted):
                raise file_error(
                    checkpoint.folder / file,
                    f"has {role} {token!r}, but only {wanted!r} is supported",
                )


def _check_tokenizer(checkpoint: TokenizerFiles) -> None:
    path, content = checkpoint.tokenizer_path, checkpoint.tokenizer or {}
    for name, wanted in _TYPES.items():
        part = content.get(name)
        kind = part.get("type") if isinstance(part, dict) else "none"
        if kind != wanted:
            raise file_error(
                path, f"has {name} {kind}, but only a BERT tokenizer is supported ({wanted})"
            )
    model = content["model"]
    for name, wanted in _MODEL.items():
        if model.get(name, wanted) != wanted:
            raise file_error(path, f"has {name} {model[name]!r}, but only {wanted!r} is supported")
    if not content["normalizer"].get("clean_text", True):
        raise file_error(
            path, "has clean_text off, but only tokenizers that clean the text are supported"
        )
    padding = content.get("padding") or {}
    if padding.get("direction", "Right") != "Right":
        raise file_error(path, "pads on the left, but only padding on the right is supported")
    _check_post_processor(checkpoint, content.get("post_processor"))


def _check_post_processor(checkpoint: TokenizerFiles, processor: dict[str, Any] | None) -> None:
    """Raise UserError unless it frames texts and pairs as the tokenizer's style does."""
    name, _ = tokenizer_class(checkpoint)
    if processor is None and name not in ANY_TOKENIZER:
        return  # BertTokenizer adds the special tokens itself
    processor, style = processor or {"type": "none"}, style_of(checkpoint)
    frame = (processor.get("cls", [""])[0], processor.get("sep", [""])[0])
    if style == "mpnet":
        if processor["type"] != "RobertaProcessing" or frame != ("<s>", "</s>"):
            raise file_error(
                checkpoint.tokenizer_path,
                f"has a post_processor ({processor['type']}) that does not give <s> a </s></s> b "
                "</s>, as MPNet's does",
            )
        return
    if processor["type"] == "BertProcessing":
        fits = frame == ("[CLS]", "[SEP]")
    else:
        single = ["[CLS]:0", "A:0", "[SEP]:0"]
        fits = processor["type"] == "TemplateProcessing" and (
            template(processor.get("single")) == single
            and template(processor.get("pair")) == [*single, "B:1", "[SEP]:1"]
        )
    if not fits:
        raise file_error(
            checkpoint.tokenizer_path,
            f"has a post_processor ({processor['type']}) that does not give [CLS] a [SEP] b [SEP] "
            "with segments 0 and 1, as BERT's does",
        )


def template(pieces: Any) -> list[str]:
    """Return a template's pieces as in "[CLS]:0"."""
    steps = []
    for piece in pieces if isinstance(pieces, list) else []:
        for value in piece.values():
            steps.append(f"{value.get('id')}:{value.get('type_id')}")
    return steps


def normalization(checkpoint: TokenizerFiles) -> dict[str, bool | None]:
    """Return `lowercase`, `strip_accents` and `split_chinese`.

    tokenizer_config.json goes before tokenizer.json, as in transformers; differences are logged.
    """
    normalizer = (checkpoint.tokenizer or {}).get("normalizer", {})
    stored = {
        argument: normalizer.get(key, default)
        for argument, (_, key, default) in _NORMALIZATION.items()
    }
    if tokenizer_class(checkpoint)[0] in ANY_TOKENIZER:
        return stored
    said = {
        argument: _flag(checkpoint, key)
        for argument, (key, _, _) in _NORMALIZATION.items()
        if key in checkpoint.config
    }
    said = {a: value for a, value in said.items() if value is not None or a == "strip_accents"}
    settings = {**stored, **said}
    if checkpoint.tokenizer is not None:
        _report_differences(checkpoint, stored, said, settings)
    return settings


def _report_differences(
    checkpoint: TokenizerFiles,
    stored: dict[str, bool | None],
    said: dict[str, bool | None],
    settings: dict[str, bool | None],
) -> None:
    """Log in what tokenizer.json differs from tokenizer_config.json or its defaults."""
    defaults = {argument: default for argument, (_, _, default) in _NORMALIZATION.items()}
    in_transformers = _explicit({**defaults, **said})
    for argument, (key, their_key, _) in _NORMALIZATION.items():
        theirs, used = _explicit(stored)[argument], _explicit(settings)[argument]
        if argument in said and used != theirs:
            log.warning(
                "%s has %s %r, but tokenizer.json %r; the former is used, as by transformers",
                *(checkpoint.config_path, key, used, theirs),
            )
        elif argument not in said and used != (other := in_transformers[argument]):
            log.warning(
                "%s has %s %r, which is used; transformers would use %r, as %s has no %s",
                *(checkpoint.tokenizer_path, their_key, used, other, CONFIG, key),
            )


def _explicit(settings: dict[str, bool | None]) -> dict[str, bool | None]:
    """Return the settings with `strip_accents` as it takes effect."""
    strip = settings["strip_accents"]
    return {**settings, "strip_accents": settings["lowercase"] if strip is None else strip}


def _flag(checkpoint: TokenizerFiles, key: str) -> bool | None:
    value = checkpoint.config[key]
    if value is not None and not isinstance(value, bool):
        path = checkpoint.config_path
        raise file_error(path, f"has {key} {value!r}, which is neither true nor false")
    return value
