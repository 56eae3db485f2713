"""Delimited text: CSV, TSV and their relatives, with their dialect detected."""

import collections
import csv
import dataclasses
import io
import itertools
import pathlib
import re
from collections.abc import Iterator, Sequence
from typing import TextIO

from ftkeras.data.tables import opening
from ftkeras.data.tables.header import has_header
from ftkeras.data.tables.table import Row
from ftkeras.errors import UserError

DELIMITERS = (",", "\t", ";", "|")
_NAMES = {",": "','", "\t": "tab", ";": "';'", "|": "'|'"}
_BY_SUFFIX = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
# Python's own limit, 128 KiB, is less than a long document. Some limit must stay: without one, a
# quote that is never closed would swallow the rest of the file.
_LONGEST_FIELD = 16 * 1024 * 1024
# Characters to detect the delimiter and the header from, more only if a row is longer.
_SAMPLE = 1 << 18
# Share of records that must have as many fields as the first.
_CONSISTENT = 0.95
# The first line in which Excel names the delimiter.
_EXCELS_LINE = re.compile(r"\Asep=([^ \r\n]) *\r?(\n|\Z)", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Dialect:
    """The dialect of a delimited file.

    Attributes:
        delimiter: one character.
        quoted: whether quotes enclose fields, as in RFC 4180; if not, a quote is a character.
        skipped: lines before the first record, which is 1 after Excel's `sep=` line.
    """

    delimiter: str
    quoted: bool = True
    skipped: int = 0

    @property
    def newline(self) -> str:
        """The `newline` for `open`: without quotes, only a line feed ends a line."""
        return "" if self.quoted else "\n"


class Delimited:
    """A delimited text file, read as its dialect says.

    Source: https://www.rfc-editor.org/rfc/rfc4180.

    Args:
        path: the file.
        encoding: None to detect it.
        delimiter: None to detect it.
        header: whether the first record names the columns; None to detect it.
        expected: names of columns; a first record that has them all is a header.

    Raises:
        UserError: if it is empty, or its encoding, delimiter or header can't be told.
    """

    def __init__(
        self,
        path: pathlib.Path,
        *,
        encoding: str | None = None,
        delimiter: str | None = None,
        header: bool | None = None,
        expected: Sequence[str] = (),
    ):
        self.path, self.name, self.schema = path, str(path), None
        self.encoding = opening.find_encoding(path, encoding)
        sample = self._sample(_SAMPLE)
        if not sample.strip():
            raise UserError(f"`data`: {self.name!r} is empty.")
        if not _holds_two_records(sample, delimiter):
            sample = self._sample(_LONGEST_FIELD)
        self.dialect = find_dialect(sample, self.name, opening.suffix(path), delimiter)
        records = [fields for _, fields in _lenient(sample, self.dialect)]
        if not records:
            raise UserError(f"`data`: {self.name!r} has no complete row; check its quotes.")
        if header is None and len(records) == 1:
            # Raises if a quote that is never closed hides the other rows.
            list(_records(_lines(sample, self.dialect), self.dialect, self.name))
        self.header = has_header(records, self.name, expected) if header is None else header
        first = records[0]
        self.columns = tuple(
            [field.strip() for field in first] if self.header else map(str, range(len(first)))
        )
        self.notes = (
            f"encoding {self.encoding}",
            f"delimiter {_NAMES.get(self.dialect.delimiter, repr(self.dialect.delimiter))}",
            *([] if self.dialect.quoted or self.dialect.delimiter != "\t" else ["no quoting"]),
            "header in the first line" if self.header else "no header",
        )

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Yield (line, fields), every field a string.

        Raises:
            UserError: for a record with another number of fields than the first one.
        """
        with opening.open_text(self.path, self.encoding, newline=self.dialect.newline) as file:
            records = _records(file, self.dialect, self.name)
            for line, fields in itertools.islice(records, int(self.header), None):
                if len(fields) != len(self.columns):
                    raise UserError(
                        f"`data`: line {line} of {self.name!r} has {len(fields)} fields, but the "
                        f"first has {len(self.columns)}; check its quotes, or set `delimiter`."
                    )
                yield line, tuple(fields)

    def _sample(self, characters: int) -> str:
        """Return the first lines, whole ones; the last may be cut within a quoted field."""
        with opening.open_text(self.path, self.encoding) as file:
            text = file.read(characters)
            complete = not file.read(1)
        end = text.rfind("\n") + 1
        return text if complete or not end else text[:end]


def find_dialect(text: str, name: str, suffix: str = "", delimiter: str | None = None) -> Dialect:
    r"""Return the dialect of a file.

    Args:
        text: the first lines of the file.
        name: the file, for messages.
        suffix: of the file; it decides if several delimiters would do.
        delimiter: the one that is known, or None.

    Raises:
        UserError: if no delimiter or more than one gives rows of equal length.

    >>> find_dialect("text;label\nNot bad, I think;pos\n", "reviews.csv", ".csv")
    Dialect(delimiter=';', quoted=True, skipped=0)
    """
    named = _EXCELS_LINE.match(text)
    if named is not None:
        delimiter, text = delimiter or named[1], text[named.end() :]
    if delimiter is None:
        delimiter = _find_delimiter(text, name, suffix)
    return Dialect(delimiter, _is_quoted(text, delimiter), skipped=int(named is not None))


def _holds_two_records(text: str, delimiter: str | None) -> bool:
    """Return whether a sample reaches beyond the second record, whatever delimits the fields."""
    csv.field_size_limit(_LONGEST_FIELD)
    for each in DELIMITERS if delimiter is None else [delimiter]:
        lines = io.StringIO(_EXCELS_LINE.sub("", text), newline="")
        records = filter(None, csv.reader(lines, delimiter=each))
        if len(list(itertools.islice(records, 2))) < 2 or not lines.read(1):
            return False
    return True


def _find_delimiter(text: str, name: str, suffix: str) -> str:
    fitting = {}
    for delimiter in DELIMITERS:
        dialect = Dialect(delimiter, _is_quoted(text, delimiter))
        records = [fields for _, fields in _lenient(text, dialect)]
        if records and _is_consistent(records):
            fitting[delimiter] = records
    # A comma in every text is no delimiter: a blank follows it, and no column's values repeat.
    for holds in (_has_repeating_column, _starts_without_blanks):
        if len(fitting) > 1:
            chosen = [d for d, records in fitting.items() if holds(records)]
            fitting = {d: fitting[d] for d in chosen or fitting}
    if len(fitting) == 1:
        return next(iter(fitting))
    default = _BY_SUFFIX.get(suffix)
    if default is not None and default in fitting:
        return default
    if fitting:
        candidates = " and ".join(_NAMES[d] for d in fitting)
        raise UserError(
            f"`data`: {name!r} can be split at {candidates}; set `delimiter` to say which it is."
        )
    if default and _has_one_column(text, default):
        return default
    raise UserError(
        f"`data`: {name!r} does not split into columns at any of {', '.join(_NAMES.values())}; "
        "set `delimiter`, or name a file with a column of texts and one of labels."
    )


def _has_one_column(text: str, delimiter: str) -> bool:
    """Return whether a file named .csv or .tsv holds one column, as texts to classify may."""
    return all(len(fields) == 1 for _, fields in _lenient(text, Dialect(delimiter)))


def _is_consistent(records: Sequence[Sequence[str]]) -> bool:
    counts = collections.Counter(map(len, records))
    count, times = counts.most_common(1)[0]
    return count > 1 and len(records[0]) == count and times >= _CONSISTENT * len(records)


def _has_repeating_column(records: Sequence[Sequence[str]]) -> bool:
    width, rows = len(records[0]), [row for row in records if len(row) == len(records[0])]
    return any(len({row[i] for row in rows}) <= max(2, len(rows) // 4) for i in range(width))


def _starts_without_blanks(records: Sequence[Sequence[str]]) -> bool:
    fields = [field for row in records for field in row[1:]]
    return sum(field.startswith(" ") for field in fields) <= len(fields) // 2


def _is_quoted(text: str, delimiter: str) -> bool:
    if delimiter != "\t" or _quotes_enclose_fields(text.split("\n")):
        return True
    return _quotes_enclose_lines(text)


def _quotes_enclose_lines(text: str) -> bool:
    """Return whether all rows have as many fields only if quotes enclose line breaks or tabs."""
    plain, quoted = (
        {len(fields) for _, fields in _lenient(text, Dialect("\t", quoted))}
        for quoted in (False, True)
    )
    return len(quoted) == 1 < len(plain) and quoted != {1}


def _quotes_enclose_fields(lines: Sequence[str]) -> bool:
    """Return whether quotes in a tab-separated file enclose fields, as pandas writes them.

    In other files, GLUE's among them, a quote is a character like any other, and may come alone.
    So quotes enclose fields only if each field that starts with one ends with one and doubles those
    within, and one such field has a doubled quote or a tab, or a whole column is quoted.
    """
    fields = [field for line in lines for field in line.rstrip("\r\n").split("\t")]
    opened = [field for field in fields if field.startswith('"')]
    if not opened:
        return False
    inner = [field[1:-1] for field in opened if len(field) > 1 and field.endswith('"')]
    if len(inner) < len(opened) or any('"' in text.replace('""', "") for text in inner):
        return False
    rows = [line.rstrip("\r\n").split("\t") for line in lines if line.strip()]
    width = min(map(len, rows))
    whole = any(all(row[i].startswith('"') for row in rows[1:]) for i in range(width))
    return whole or any('""' in text for text in inner)


def _lenient(text: str, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Yield the records of a sample, up to where it is cut within a quoted field."""
    try:
        yield from _records(_lines(text, dialect), dialect, "")
    except UserError:
        return


def _lines(text: str, dialect: Dialect) -> io.StringIO:
    return io.StringIO(text, newline=dialect.newline)


def _records(
    lines: Iterator[str] | TextIO, dialect: Dialect, name: str
) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, fields) of each record; blank lines are skipped."""
    lines = itertools.islice(lines, dialect.skipped, None)
    if not dialect.quoted:
        for number, record in enumerate(lines, start=1 + dialect.skipped):
            if record := record.rstrip("\r\n"):
                yield number, record.split(dialect.delimiter)
        return
    line = 1 + dialect.skipped
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(lines, delimiter=dialect.delimiter, strict=True)
    try:
        for fields in reader:
            if fields:
                yield line, fields
            line = reader.line_num + 1 + dialect.skipped
    except csv.Error as error:
        raise UserError(f"`data`: line {line} of {name!r} is not well-formed ({error}).") from error
