"""Open files of tagged texts; the layout follows from the suffix and the columns."""

import itertools
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from ftkeras.data.tables import opening
from ftkeras.data.tables.reading import SUFFIXES, Options, open_data
from ftkeras.data.tables.table import Table
from ftkeras.data.tagged.conll import Conll
from ftkeras.data.tagged.entities import Tagged
from ftkeras.data.tagged.records import ROWS, Records, find_layout

# Suffixes of tables that can hold lists; any other file is read as CoNLL.
_LISTS = (".jsonl", ".ndjson", ".json", ".parquet", ".arrow", ".feather")
_CONLL = (".conll", ".conllu", ".bio", ".iob", ".iob2", ".bioes", ".ner")


class TaggedFile(Protocol):
    """Some files of tagged texts.

    Attributes:
        name: for messages.
        skipped: what was skipped in the last pass, a phrase each.
    """

    name: str
    skipped: Sequence[str]

    @property
    def notes(self) -> Sequence[str]:
        """The layout, and the columns that are read, a phrase each."""
        ...

    def rows(self) -> Iterator[tuple[int, Tagged]]:
        """Yield (line, text with entities).

        Raises:
            UserError: if a line is not what the layout says; names it.
        """
        ...


def open_tagged(
    names: str | Sequence[str],
    folder: pathlib.Path,
    *,
    text: str | int | None,
    label: str | int | None,
    tags: Mapping[str, str],
    options: Options,
) -> TaggedFile:
    """Open files of tagged texts.

    Args:
        names: files or patterns.
        folder: where relative names are looked up.
        text: the column of the words or the text; None to infer it.
        label: the column of the tags or the spans; None to infer it.
        tags: names for tags that are numbers, by number.
        options: how the files are read.

    Raises:
        UserError: if there is no such file, or it is of another layout.
    """
    names = (names,) if isinstance(names, str) else names
    paths = [path for name in names for path in opening.find_files(name, folder)]
    if all(path.is_dir() or opening.suffix(path) in SUFFIXES for path in paths):
        return Records(open_data(names, folder, options), text=text, label=label, tags=tags)
    return Conll(paths, word=text, tag=label, names=tags, encoding=options.encoding)


def find_tagged(
    names: str | Sequence[str],
    folder: pathlib.Path,
    options: Options,
    open_table: Callable[[], Table],
) -> tuple[str, str] | None:
    """Return the name and the layout of files that hold tagged texts; None if they do not.

    Args:
        names: files or patterns.
        folder: where relative names are looked up.
        options: how the files are read.
        open_table: returns the files as a table.
    """
    names = (names,) if isinstance(names, str) else names
    path = next(path for name in names for path in opening.find_files(name, folder))
    if path.is_dir():
        return None
    if opening.suffix(path) in _LISTS:
        table = open_table()
        rows = [row for _, row in itertools.islice(table.rows(), ROWS)]
        layout = find_layout(table.columns, rows)
        return layout and (table.name, layout.name)
    if opening.suffix(path) in SUFFIXES:
        return None
    file = Conll([path], word=None, tag=None, encoding=options.encoding)
    if opening.suffix(path) not in _CONLL and not file.is_likely(ROWS):
        return None
    return str(path), Conll.layout
