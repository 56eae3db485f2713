"""Weights in files of `torch.save`: the zip format of PyTorch 1.6 and later, and the one before."""

import io
import pathlib
import re
import struct
import zipfile
from typing import Any, BinaryIO, Literal

import numpy as np

from ftkeras.checkpoints.formats.base import Format, damaged, shown
from ftkeras.checkpoints.formats.torch_pickle import LONGEST_PICKLE, read_pickle
from ftkeras.checkpoints.formats.torch_tensors import SIZES, RefusedError, Storage, TensorView
from ftkeras.errors import UserError

KIND = "a file of torch.save"
# What the files before PyTorch 1.6 start with, as two pickled numbers.
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
ZIP = b"PK\x03\x04"
LOCAL_HEADER = struct.Struct("<4s22xHH")
ENCRYPTED = 1
UNREADABLE = (
    *(OSError, ValueError, OverflowError, struct.error),
    *(zipfile.BadZipFile, NotImplementedError),
)

Records = dict[str, tuple[int, int]]  # the position and the size of each part of a file
Views = dict[str, TensorView]
Order = Literal["<", ">"]


class TorchFile:
    """A file of `torch.save` with a plain state dict. No code from the file is run.

    Its pickle is interpreted by `torch_pickle`, and the tensors are mapped, one when it is read.

    Args:
        path: of the file.

    Attributes:
        shapes: the shape of each tensor, by name.

    Raises:
        UserError: it is damaged, or has anything but names and tensors.
    """

    def __init__(self, path: pathlib.Path):
        self._path = path
        self._order: Order
        try:
            with path.open("rb") as file:
                read = _read_zip if file.read(4) == ZIP else _read_legacy
                self._views, self._records, self._order = read(file)
            for view in self._views.values():
                _check_storage(view.storage, self._records)
            self.shapes = {name: view.shape for name, view in self._views.items()}
        except RefusedError as error:
            raise UserError(
                f"`encoder`: {path} is refused, because it is not a plain state dict: {error}; "
                "use weights in safetensors"
            ) from None
        except UNREADABLE as error:
            raise damaged(path, KIND, shown(error)) from None

    def read(self, name: str) -> np.ndarray:
        """Return one tensor; half precision is returned as float32."""
        view = self._views[name]
        size = SIZES[view.dtype]
        start = self._records[view.storage.key][0] + view.start * size
        # bfloat16 is the upper half of a float32.
        dtype = "uint16" if view.dtype == "bfloat16" else view.dtype
        strides = tuple(stride * size for stride in view.strides)
        try:
            memory = _map(self._path, start, view.span * size)
            ordered = np.dtype(dtype).newbyteorder(self._order)
            array = np.ndarray(view.shape, ordered, memory, 0, strides)
        except (OSError, ValueError) as error:
            raise damaged(self._path, KIND, shown(error)) from None
        if view.dtype == "bfloat16":
            bits = array.astype("uint32", order="C")
            bits <<= 16
            return bits.view("float32")
        native = "float32" if dtype == "float16" else dtype
        return np.require(array.astype(native, copy=False), requirements=["C", "A"])


def _map(path: pathlib.Path, start: int, size: int) -> np.ndarray:
    """Return bytes of a file, which are read from the disk when they are used."""
    if not size:
        return np.empty(0, "uint8")
    return np.asarray(np.memmap(path, "uint8", "r", start, (size,)))


def _views(state: Any) -> Views:
    """Return the tensors of a state dict.

    Raises:
        RefusedError: there is anything else.
    """
    if not isinstance(state, dict):
        raise RefusedError(f"it has a {type(state).__name__} in its place")
    for name, view in state.items():
        if not isinstance(view, TensorView):
            raise RefusedError(f"its entry {shown(name)} is not a tensor")
    return state


def _check_storage(storage: Storage, records: Records) -> None:
    if storage.key not in records:
        raise RefusedError(f"it refers to a storage {storage.key} that it lacks")
    if storage.size > records[storage.key][1]:
        raise RefusedError(
            f"its storage {storage.key} claims {shown(storage.size)} bytes but has fewer"
        )


def _read_zip(file: BinaryIO) -> tuple[Views, Records, Order]:
    """Return the tensors, the records of their storages and the byte order."""
    entries = _entries(file)
    pickles = [name for name in entries if re.fullmatch(r"[^/]+/data\.pkl", name)]
    if len(pickles) != 1:
        raise zipfile.BadZipFile(f"it has {len(pickles)} entries named data.pkl")
    views = _views(read_pickle(io.BytesIO(_content(file, *entries[pickles[0]]))))
    root = pickles[0].removesuffix("data.pkl")
    folder = f"{root}data/"
    records = {n.removeprefix(folder): entries[n] for n in entries if n.startswith(folder)}
    order = b"little"
    if record := entries.get(f"{root}byteorder"):  # of PyTorch 2.1 and later
        order = _content(file, *record)
    if order not in (b"little", b"big"):
        raise zipfile.BadZipFile("its byteorder is neither little nor big")
    return views, records, "<" if order == b"little" else ">"


def _entries(file: BinaryIO) -> Records:
    """Return the position and the size of each entry of a zip file."""
    end = file.seek(0, io.SEEK_END)
    entries: Records = {}
    for entry in zipfile.ZipFile(file).infolist():
        name = shown(entry.filename)
        if entry.filename in entries:
            raise zipfile.BadZipFile(f"it has two entries named {name}")
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & ENCRYPTED:
            raise zipfile.BadZipFile(f"its entry {name} is compressed or encrypted")
        file.seek(entry.header_offset)
        header = file.read(LOCAL_HEADER.size)
        signature, name_size, extra_size = LOCAL_HEADER.unpack(header)
        start = entry.header_offset + len(header) + name_size + extra_size
        if signature != ZIP or start + entry.file_size > end:
            raise zipfile.BadZipFile(f"its entry {name} does not lie within the file")
        entries[entry.filename] = start, entry.file_size
    return entries


def _content(file: BinaryIO, start: int, size: int) -> bytes:
    if size > LONGEST_PICKLE:
        raise RefusedError(f"its pickle has more than {LONGEST_PICKLE >> 20} MiB")
    file.seek(start)
    return file.read(size)


def _read_legacy(file: BinaryIO) -> tuple[Views, Records, Order]:
    """Read a file in the format before PyTorch 1.6; return the same as `_read_zip`.

    Five pickles precede the storages: two numbers, facts about the machine, the state dict and the
    order of the storages. The numbers are little-endian on every machine.
    """
    end = file.seek(0, io.SEEK_END)
    file.seek(0)
    stream = io.BytesIO(file.read(LONGEST_PICKLE))
    magic = read_pickle(stream)
    if type(magic) is not int or magic != MAGIC or read_pickle(stream) != PROTOCOL:
        raise RefusedError(f"it is not {KIND}")
    read_pickle(stream)
    views, keys = _views(read_pickle(stream)), read_pickle(stream)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ValueError("it has no list of storages")
    storages = {view.storage.key: view.storage for view in views.values()}
    return views, _legacy_records(file, stream.tell(), end, keys, storages), "<"


def _legacy_records(
    file: BinaryIO, start: int, end: int, keys: list[str], storages: dict[str, Storage]
) -> Records:
    """Return the records of the storages, each of which is preceded by its length."""
    records: Records = {}
    for key in keys:
        if key not in storages or key in records:
            raise ValueError(f"it has a storage {shown(key)} that no tensor uses")
        file.seek(start)
        (count,) = struct.unpack("<q", file.read(8))
        size = storages[key].size
        if count != storages[key].count or start + 8 + size > end:
            raise ValueError(f"its storage {shown(key)} is shorter than its tensors expect")
        records[key] = start + 8, size
        start += 8 + size
    return records


TORCH = Format(
    file="pytorch_model.bin",
    open=TorchFile,
    index="pytorch_model.bin.index.json",
    parts=("pytorch_model*.bin", "pytorch_model.bin.index.json"),
)
