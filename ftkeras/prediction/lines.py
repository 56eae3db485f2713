"""Read lines of text from files, pipes and standard input."""

import codecs
import logging
import pathlib
from collections.abc import Iterator
from typing import BinaryIO

from ftkeras.data.tables import opening
from ftkeras.data.tables.texts import encode
from ftkeras.support.plurals import counted

log = logging.getLogger(__name__)


def find_encoding(path: pathlib.Path, given: str | None) -> str | None:
    """Return the encoding of a file; of a pipe, which can be opened only once, the given one.

    Raises:
        UserError: if none is given and the file is not UTF-8, naming the line.
    """
    return opening.find_encoding(path, given) if path.is_file() else given


def of_file(path: pathlib.Path, encoding: str | None) -> Iterator[str]:
    """Yield the lines of a file or a pipe.

    Args:
        path: of the file.
        encoding: as `find_encoding` returns it.
    """
    # A pipe can be opened only once, so it can't be asked whether it is compressed.
    with opening.open_binary(path) if path.is_file() else open(path, "rb") as stream:
        if encoding is None:
            yield from of_stream(stream, str(path))
            return
        for line in opening.decoded(stream, str(path), encoding, newline="\n"):
            yield encode(line.rstrip("\r\n")).decode("utf-8", "replace")


def of_stream(stream: BinaryIO, name: str) -> Iterator[str]:
    """Yield the lines of a stream in UTF-8, and log at its end how many have invalid bytes.

    Args:
        stream: is read once.
        name: of the stream, for the message.
    """
    invalid = 0
    for number, line in enumerate(stream):
        raw = (line if number else line.removeprefix(codecs.BOM_UTF8)).rstrip(b"\r\n")
        text = raw.decode("utf-8", "replace")
        invalid += text.encode() != raw
        yield text
    if invalid:
        lines = counted(invalid, "line is", "lines are")
        log.warning(
            f"warning: {lines} not UTF-8 in {name}, and the invalid bytes are replaced; write it "
            "to a file and give its `encoding`"
        )
