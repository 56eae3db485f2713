"""CSV and TSV files with a header."""

import csv
from collections.abc import Iterator
from typing import Any, TextIO

from ftkeras.data.sources.table import Table

# Python's own limit, 128 KiB, is less than a long document. There must be some limit, because a
# quote that is never closed would read the rest of the file as one field.
_LONGEST_FIELD = 16 * 1024 * 1024


class Delimited(Table):
    """A `.csv` file (quoted as in RFC 4180) or a `.tsv` file (never quoted) with a header.

    A quote in a TSV file is an ordinary character, as in GLUE's files. A byte order mark and CRLF
    line ends are removed. Bytes that are not UTF-8 are passed on unchanged.

    Source: https://www.rfc-editor.org/rfc/rfc4180.

    Args:
        path: the file; `.tsv` means tabs, any other suffix means commas.
        text, label, pair, labels: as in `Table`.
    """

    def rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield (line number, {column: value}) for each row."""
        tabs = self._path.suffix.lower() == ".tsv"
        with open(
            self._path,
            encoding="utf-8-sig",
            errors="surrogateescape",
            newline="\n" if tabs else "",
        ) as file:
            records = _tab_separated(file) if tabs else self._comma_separated(file)
            _, header = next(records, (0, []))
            for line, fields in records:
                if len(fields) != len(header):
                    raise self._error(
                        line, f"{len(fields)} fields, but the header has {len(header)}"
                    )
                yield line, dict(zip(header, fields, strict=True))

    def _comma_separated(self, file: TextIO) -> Iterator[tuple[int, list[str]]]:
        csv.field_size_limit(_LONGEST_FIELD)
        reader, line = csv.reader(file, strict=True), 1
        try:
            for fields in reader:
                if fields:
                    yield line, fields
                line = reader.line_num + 1
        except csv.Error as error:
            raise self._error(line, f"not well-formed CSV ({error})") from error


def _tab_separated(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    for line, record in enumerate(file, start=1):
        if record := record.rstrip("\r\n"):
            yield line, record.split("\t")
