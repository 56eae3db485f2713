"""Read and write SentencePiece models, which are protocol buffers.

The package `sentencepiece` is not needed. Fields that are not listed here are kept as they are.
Source: https://github.com/google/sentencepiece, src/sentencepiece_model.proto.
"""

import functools
from collections.abc import Sequence
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
UNIGRAM = 1
SPACE = "▁"
_PACKAGE = "ftkeras.sentencepiece"
# Each message's fields: number, type, and the default if it is not the type's own.
_MESSAGES: dict[str, dict[str, tuple[Any, ...]]] = {
    "Piece": {"piece": (1, "string"), "score": (2, "float"), "type": (3, "int32", "1")},
    "Trainer": {
        "model_type": (3, "int32", "1"),
        "vocab_size": (4, "int32"),
        "treat_whitespace_as_suffix": (24, "bool"),
        "byte_fallback": (35, "bool"),
    },
    "Normalizer": {
        "name": (1, "string"),
        "precompiled_charsmap": (2, "bytes"),
        "add_dummy_prefix": (3, "bool", "true"),
        "remove_extra_whitespaces": (4, "bool", "true"),
        "escape_whitespaces": (5, "bool", "true"),
    },
    "Model": {"pieces": (1, "Piece"), "trainer": (2, "Trainer"), "normalizer": (3, "Normalizer")},
}
_REPEATED = ("pieces",)


@functools.cache
def _model_class() -> Any:
    """Return the message class of a model."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{_PACKAGE}.proto", package=_PACKAGE)
    for name, fields in _MESSAGES.items():
        described = file.message_type.add(name=name)
        for field, (number, kind, *default) in fields.items():
            label = "LABEL_REPEATED" if field in _REPEATED else "LABEL_OPTIONAL"
            added = described.field.add(name=field, number=number, label=label)
            if kind in _MESSAGES:
                added.type, added.type_name = added.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                added.type = getattr(added, f"TYPE_{kind.upper()}")
            if default:
                added.default_value = default[0]
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Model"))


def parse(content: bytes) -> Any:
    """Return a model's message, with `pieces`, `trainer` and `normalizer`.

    Raises:
        ValueError: if the content is not a model.
    """
    try:
        model = _model_class().FromString(content)
    except (message.DecodeError, UnicodeDecodeError):
        raise ValueError("`model` must be a SentencePiece model. Received: other bytes.") from None
    if not model.pieces:
        raise ValueError("`model` must be a SentencePiece model. Received: one without pieces.")
    return model


def build(
    pieces: Sequence[tuple[str, float, int]],
    charsmap: bytes,
    *,
    add_dummy_prefix: bool = True,
    remove_extra_whitespaces: bool = True,
) -> bytes:
    """Return a unigram model.

    Args:
        pieces: each piece by id, its score and its type.
        charsmap: the compiled normalization rules; empty for none.
        add_dummy_prefix: whether a space is added before a text.
        remove_extra_whitespaces: whether a text's outer spaces, and repeated ones, are removed.
    """
    model = _model_class()()
    for piece, score, kind in pieces:
        model.pieces.add(piece=piece, score=score, type=kind)
    model.trainer.model_type, model.trainer.vocab_size = UNIGRAM, len(pieces)
    model.normalizer.precompiled_charsmap = charsmap
    model.normalizer.add_dummy_prefix = add_dummy_prefix
    model.normalizer.remove_extra_whitespaces = remove_extra_whitespaces
    return model.SerializeToString(deterministic=True)
