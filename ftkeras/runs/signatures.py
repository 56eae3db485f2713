"""Read the signatures of a SavedModel from its file, without TensorFlow.

The file is a protocol buffer. Only the few fields on the way to the names of tensors are looked at;
all others are skipped by their length.

Source: https://protobuf.dev/programming-guides/encoding/, and TensorFlow's saved_model.proto and
meta_graph.proto for the numbers of the fields.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

MODEL = "saved_model.pb"
# Numbers of fields: SavedModel.meta_graphs, MetaGraphDef.signature_def, the key and value of a
# map's entry, SignatureDef.inputs and outputs, TensorInfo.name.
_META_GRAPHS, _SIGNATURE_DEF, _KEY, _VALUE, _INPUTS, _OUTPUTS, _NAME = 2, 5, 1, 2, 1, 2, 1
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5


@dataclass(frozen=True)
class Signature:
    """The names of a signature's tensors in the graph, such as `Call:0`, by input and output."""

    inputs: dict[str, str]
    outputs: dict[str, str]


def read_signatures(folder: pathlib.Path) -> dict[str, Signature]:
    """Return the signatures of the SavedModel in a folder, by name.

    Raises:
        OSError: if there is no such file.
        ValueError: if it is damaged.
    """
    content = memoryview((folder / MODEL).read_bytes())
    graph = next(_nested(content, _META_GRAPHS), memoryview(b""))
    return {
        name: Signature(_tensors(definition, _INPUTS), _tensors(definition, _OUTPUTS))
        for name, definition in _map(graph, _SIGNATURE_DEF).items()
    }


def _tensors(signature: memoryview, field: int) -> dict[str, str]:
    return {name: _text(info, _NAME) for name, info in _map(signature, field).items()}


def _map(message: memoryview, field: int) -> dict[str, memoryview]:
    """Return the entries of a field that is a map from strings to messages."""
    entries = list(_nested(message, field))
    return {_text(e, _KEY): next(_nested(e, _VALUE), memoryview(b"")) for e in entries}


def _text(message: memoryview, field: int) -> str:
    return bytes(next(_nested(message, field), memoryview(b""))).decode()


def _nested(message: memoryview, wanted: int) -> Iterator[memoryview]:
    """Yield the content of each occurrence of a field that has a length."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            at = _varint(message, at)[1]
            continue
        if kind == _LENGTH:
            size, at = _varint(message, at)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            size = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"unknown wire type {kind}")
        if at + size > len(message):
            raise ValueError("the file is cut off")
        if number == wanted and kind == _LENGTH:
            yield message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return the number that starts at a position, and the position behind it."""
    value = shift = 0
    while True:
        if at == len(message) or shift > 63:
            raise ValueError("the file is cut off")
        byte = message[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at
