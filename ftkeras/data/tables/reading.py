"""Open whatever a user names as data: the reader follows from the content."""

import dataclasses
import pathlib
from collections.abc import Iterator, Mapping, Sequence

from ftkeras.data.tables import opening
from ftkeras.data.tables.class_folders import ClassFolders
from ftkeras.data.tables.columnar import Columnar, common_schema
from ftkeras.data.tables.delimited import Delimited
from ftkeras.data.tables.json_records import JsonRecords
from ftkeras.data.tables.spreadsheet import Spreadsheet
from ftkeras.data.tables.table import Row, Table
from ftkeras.errors import UserError

# Suffixes that name a format; a file of any other is taken for delimited text.
_COLUMNAR, _SHEETS = (".parquet", ".arrow", ".feather"), (".xlsx", ".xlsm")
_JSON, _DELIMITED = (".jsonl", ".ndjson", ".json"), (".csv", ".tsv", ".tab")
SUFFIXES = (*_COLUMNAR, *_SHEETS, *_JSON, *_DELIMITED)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    r"""Settings of files that the user knows; None if they are to be detected.

    Attributes:
        encoding: the encoding of text files, such as "cp1252".
        delimiter: between fields; "tab" and "\t" mean a tab.
        header: whether the first row names the columns.
        expected: names of columns; a first row that has them all is a header.
    """

    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    expected: tuple[str, ...] = ()

    def __post_init__(self):
        if self.encoding is not None:
            try:
                "".encode(self.encoding)
            except LookupError:
                raise UserError(
                    f"`encoding` must be one that Python knows, such as utf-8 or cp1252. Received: "
                    f"{self.encoding!r}."
                ) from None
        if self.delimiter in ("tab", "\\t"):
            object.__setattr__(self, "delimiter", "\t")
        if self.delimiter is not None and len(self.delimiter) != 1:
            raise UserError(f"`delimiter` must be one character. Received: {self.delimiter!r}.")


def given_files(
    files: Mapping[str, str | Sequence[str] | None], *, required: tuple[str, ...] = ("train",)
) -> dict[str, str | Sequence[str]]:
    """Return the files of the splits that have some.

    Args:
        files: names or glob patterns of files by split, one or several; None if it has none.
        required: the splits that must have files.

    Raises:
        ValueError: naming the split and the value received.
    """
    for split, names in files.items():
        if names is None and split not in required:
            continue
        listed = [names] if isinstance(names, str) else names
        is_list = isinstance(listed, list | tuple)
        if not is_list or not listed or not all(isinstance(n, str) and n for n in listed):
            raise ValueError(f"`{split}` must name a file. Received: {names!r}.")
    return {split: names for split, names in files.items() if names is not None}


def open_data(names: str | Sequence[str], folder: pathlib.Path, options: Options) -> Table:
    """Open the files that names and glob patterns stand for, as one table.

    Args:
        names: files, folders or patterns.
        folder: where relative names are looked up.
        options: what is known of the files.

    Raises:
        UserError: if there is no such file, it can't be read, or files have other columns.
    """
    names = (names,) if isinstance(names, str) else names
    paths = [path for name in names for path in opening.find_files(name, folder)]
    tables = [_open(path, options) for path in paths]
    return tables[0] if len(tables) == 1 else Concatenated(tables)


class Concatenated:
    """Several tables, one after the other.

    Their columns may be in any order if no name occurs twice. One table may have columns that
    others lack, but only if some table has none but those that all have, as if more was known of
    further rows.

    Args:
        tables: at least one.

    Raises:
        UserError: if each of the tables has columns that others lack, or columns that share a name
            are in another order.
    """

    def __init__(self, tables: Sequence[Table]):
        first = tables[0]
        self.tables = tables
        self.columns = tuple(c for c in first.columns if all(c in t.columns for t in tables))
        schemas = [table.schema for table in tables]
        self.schema = common_schema(schemas) if self.columns == first.columns else None
        self._require_whole_table()
        self.name = f"{first.name} and {len(tables) - 1} more"
        self.notes = (f"{len(tables)} files", *self._not_read(), *first.notes)

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Yield the rows of each table in turn."""
        for table in self.tables:
            yield from self.rows_of(table)

    def rows_of(self, table: Table) -> Iterator[tuple[int, Row]]:
        """Yield the rows of one of the tables, with the columns that all have."""
        if table.columns == self.columns:
            yield from table.rows()
            return
        places = [table.columns.index(column) for column in self.columns]
        for line, row in table.rows():
            yield line, tuple(row[place] for place in places)

    def _require_whole_table(self) -> None:
        first, common = self.tables[0], set(self.columns)
        # Columns without names, or with the same, can't be matched.
        are_named = bool(common) and not self.columns[0].isdecimal()
        are_unique = all(table.columns.count(c) == 1 for table in self.tables for c in common)
        if are_named and are_unique and any(set(table.columns) == common for table in self.tables):
            return
        for table in self.tables[1:]:
            if table.columns != first.columns:
                raise UserError(
                    f"`data`: {table.name!r} has the columns {', '.join(table.columns)}, but "
                    f"{first.name!r} has {', '.join(first.columns)}."
                )

    def _not_read(self) -> tuple[str, ...]:
        others = dict.fromkeys(c for t in self.tables for c in t.columns if c not in self.columns)
        return (f"not read, as not all have them: {', '.join(others)}",) if others else ()


def located_rows(table: Table) -> Iterator[tuple[str, int, Row]]:
    """Yield the file of each row, its line in it, and its values."""
    if not isinstance(table, Concatenated):
        yield from ((table.name, line, row) for line, row in table.rows())
        return
    for one in table.tables:
        yield from ((one.name, line, row) for line, row in table.rows_of(one))


def _open(path: pathlib.Path, options: Options) -> Table:
    if path.is_dir():
        saved = (path / "state.json").is_file() or (path / "dataset_dict.json").is_file()
        return Columnar(path) if saved else ClassFolders(path, encoding=options.encoding)
    suffix = opening.suffix(path)
    if suffix in _COLUMNAR:
        return Columnar(path)
    if suffix in _SHEETS:
        return Spreadsheet(path, header=options.header, expected=options.expected)
    if suffix in _JSON:
        return JsonRecords(path, encoding=options.encoding)
    return Delimited(
        path,
        encoding=options.encoding,
        delimiter=options.delimiter,
        header=options.header,
        expected=options.expected,
    )
