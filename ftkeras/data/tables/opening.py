"""Find data files and open them, compressed or not."""

import bz2
import codecs
import contextlib
import functools
import glob
import gzip
import io
import logging
import lzma
import os
import pathlib
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ftkeras.errors import UserError
from ftkeras.support import files

_OPEN_BY_MAGIC = {b"\x1f\x8b": gzip.open, b"\xfd7zXZ\x00": lzma.open, b"BZh": bz2.open}
_COMPRESSED_SUFFIXES = (".gz", ".xz", ".bz2", ".zip")
_ZIP = b"PK\x03\x04"
# A spreadsheet is a zip archive too.
_SPREADSHEET_SUFFIXES = (".xlsx", ".xlsm")
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CHUNK = 1 << 20
_REPLACED = re.compile("[\ufffd\udc80-\udcff]")  # see `open_text`

log = logging.getLogger(__name__)


def find_files(pattern: str, folder: pathlib.Path) -> list[pathlib.Path]:
    """Return the files or the folder that a name or a glob pattern stands for, sorted.

    Args:
        pattern: a file, a folder, or a pattern such as `parts/*.csv`; `~` is the home directory.
        folder: where relative names are looked up.

    Raises:
        UserError: if there is no such file.
    """
    pattern = os.path.expanduser(pattern)
    path = folder / pattern
    if path.exists():
        return [path]
    # The folder is no pattern, even if its name has brackets.
    paths = sorted(folder / name for name in glob.glob(pattern, root_dir=folder, recursive=True))
    if not paths:
        raise UserError(
            f"`data`: there is no file {str(path)!r}; relative names are looked up in `data_dir`, "
            "or in the current folder."
        )
    return paths


def files_by_split(
    names: Mapping[str, str | Sequence[str]], folder: pathlib.Path
) -> dict[str, list[pathlib.Path]]:
    """Return all files that names and patterns stand for, those within folders included.

    Args:
        names: files, folders or patterns by split, one or several.
        folder: where relative names are looked up.

    Raises:
        UserError: if there is no such file.
    """
    by_split: dict[str, list[pathlib.Path]] = {}
    for split, given in names.items():
        listed = [given] if isinstance(given, str) else given
        paths = [path for name in listed for path in find_files(name, folder)]
        by_split[split] = [file for path in paths for file in files.within(path)]
    return by_split


def suffix(path: pathlib.Path) -> str:
    """Return the suffix that names the format, without that of a compression.

    >>> suffix(pathlib.Path("reviews.CSV.gz"))
    '.csv'
    """
    if path.suffix.lower() == ".zip":
        return pathlib.Path(_zip_member(path)).suffix.lower()
    named = path.with_suffix("") if path.suffix.lower() in _COMPRESSED_SUFFIXES else path
    return named.suffix.lower()


def open_binary(path: pathlib.Path) -> io.BufferedReader:
    """Open a file for reading bytes, decompressing gzip, xz, bzip2 and zip by their content.

    Raises:
        UserError: if a zip archive does not hold exactly one file, or it is damaged; also while
            reading.
    """
    with open(path, "rb") as file:
        start = file.read(8)
    if start.startswith(_ZIP) and path.suffix.lower() not in _SPREADSHEET_SUFFIXES:
        member = _zip_member(path)
        with _damage_named(path):
            return io.BufferedReader(
                _Decompressed(zipfile.ZipFile(path).open(member), path), _CHUNK
            )
    for magic, opener in _OPEN_BY_MAGIC.items():
        if start.startswith(magic):
            return io.BufferedReader(_Decompressed(opener(path), path), _CHUNK)
    return open(path, "rb")


class _Decompressed(io.RawIOBase):
    """A decompressed file that raises UserError where the archive is damaged."""

    def __init__(self, file: Any, path: pathlib.Path):
        self._file, self._path = file, path

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _damage_named(self._path):
            block = self._file.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        self._file.close()
        super().close()


@contextlib.contextmanager
def _damage_named(path: pathlib.Path) -> Iterator[None]:
    """Raise UserError for whatever a decompressor raises."""
    try:
        yield
    except (
        EOFError,
        zlib.error,
        lzma.LZMAError,
        zipfile.BadZipFile,
        OSError,
        RuntimeError,
    ) as error:
        raise UserError(
            f"`data`: {str(path)!r} can't be decompressed: {error or type(error).__name__}. It may "
            "be incomplete."
        ) from None


def find_encoding(path: pathlib.Path, given: str | None = None) -> str:
    """Return the encoding of a text file: the given one, else by its byte order mark, else UTF-8.

    One line reports how many of its characters an encoding other than UTF-8, or the given one,
    can't decode.

    Raises:
        UserError: if none is given and the file is not valid UTF-8, with or without a mark, naming
            the first line that is not.
    """
    if given is not None:
        _report_replaced(path, given)
        return given
    encoding = marked_encoding(path) or "utf-8"
    if encoding in ("utf-8", "utf-8-sig"):
        _require_utf8(path)
    else:
        _report_replaced(path, encoding)
    return encoding


def marked_encoding(path: pathlib.Path) -> str | None:
    """Return the encoding that a file's byte order mark tells; None if it has no mark."""
    with open_binary(path) as file:
        start = file.read(4)
    return next((name for mark, name in _BYTE_ORDER_MARKS.items() if start.startswith(mark)), None)


def open_text(path: pathlib.Path, encoding: str, *, newline: str | None = "") -> io.TextIOWrapper:
    """Open a text file; see `decoded`."""
    return decoded(open_binary(path), str(path), encoding, newline=newline)


def decoded(
    stream: io.BufferedReader, name: str, encoding: str, *, newline: str | None
) -> io.TextIOWrapper:
    """Return bytes as text. Invalid UTF-8 becomes lone surrogates, any other invalid byte U+FFFD.

    Args:
        stream: is at its beginning.
        name: of the stream, for the message.
        encoding: of the text.
        newline: as for `open`.

    Raises:
        UserError: if its first bytes are not in this encoding at all.
    """
    unicode = encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")
    errors = "surrogateescape" if unicode else "replace"
    if unicode:
        encoding = "utf-8-sig"  # which leaves out a byte order mark, if there is one
    try:
        codecs.getincrementaldecoder(encoding)(errors).decode(stream.peek(64)[:64])
    except UnicodeError as error:  # UTF-16 without a byte order mark is not replaceable
        stream.close()
        raise UserError(
            f"`encoding`={encoding} can't decode {name!r}: {error}; for UTF-16 without a byte "
            "order mark, use utf-16-le or utf-16-be."
        ) from None
    return io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline=newline)


@functools.cache  # a file is opened several times
def _report_replaced(path: pathlib.Path, encoding: str) -> None:
    """Log how many invalid bytes of a file are replaced, if any."""
    with open_text(path, encoding) as file:
        count = sum(len(_REPLACED.findall(text)) for text in iter(lambda: file.read(_CHUNK), ""))
    if count:
        noun = "character" if count == 1 else "characters"
        log.warning(
            f"warning: {count:,} {noun} of {str(path)!r} can't be read as {encoding}, and "
            f"{'is' if count == 1 else 'are'} replaced; check `encoding`"
        )


def _require_utf8(path: pathlib.Path) -> None:
    line = 1
    for chunk in _valid_chunks(path):
        if isinstance(chunk, UnicodeDecodeError):
            line += chunk.object[: chunk.start].count(b"\n")
            byte = chunk.object[chunk.start]
            raise UserError(
                f"`data`: line {line} of {str(path)!r} is not UTF-8 (byte 0x{byte:02x}). Say how "
                "it is encoded, such as encoding=cp1252 for files from Windows, or encoding=utf-8 "
                "to replace invalid bytes."
            )
        line += chunk.count(b"\n")


def _valid_chunks(path: pathlib.Path) -> Iterator[bytes | UnicodeDecodeError]:
    """Yield the file in chunks that are valid UTF-8; end with the error if one is not."""
    left = b""
    with open_binary(path) as file:
        while block := file.read(_CHUNK):
            chunk = left + block
            try:
                end = codecs.utf_8_decode(chunk, "strict", False)[1]
            except UnicodeDecodeError as error:
                yield error
                return
            left = chunk[end:]
            yield chunk[:end]
    try:
        left.decode("utf-8")
    except UnicodeDecodeError as error:
        yield error


def _zip_member(path: pathlib.Path) -> str:
    with _damage_named(path), zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
    names = [name for name in names if not name.startswith("__MACOSX/")]
    if len(names) != 1:
        raise UserError(
            f"`data`: {str(path)!r} holds {len(names)} files; unpack it and name one of them."
        )
    return names[0]
