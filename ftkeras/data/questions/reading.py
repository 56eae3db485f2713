"""Open files of questions; the layout follows from their content."""

import itertools
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from ftkeras.data.questions.question import Question
from ftkeras.data.questions.records import Columns, Records, holds_questions
from ftkeras.data.questions.squad import Squad, is_squad
from ftkeras.data.tables import opening
from ftkeras.data.tables.reading import SUFFIXES, Options, open_data
from ftkeras.data.tables.table import Table

# Rows that decide whether a table holds questions.
_ROWS = 50


class QuestionFile(Protocol):
    """Some files of questions.

    Attributes:
        name: for messages.
        layout: what the files are, in a few words.
        columns: the names of the columns, by what they hold.
    """

    name: str
    layout: str
    columns: Mapping[str, str]

    def rows(self) -> Iterator[tuple[str, Question]]:
        """Yield (what names a question in messages, the question).

        Raises:
            UserError: if a question is not what the layout says, or has an answer that is not in
                its context.
        """
        ...


def open_questions(
    names: str | Sequence[str], folder: pathlib.Path, columns: Columns, options: Options
) -> QuestionFile:
    """Open files of questions.

    Args:
        names: files or patterns.
        folder: where relative names are looked up.
        columns: of tables, those that are known.
        options: how the files are read.

    Raises:
        UserError: if there is no such file, or it has no questions.
    """
    names = (names,) if isinstance(names, str) else names
    paths = [path for name in names for path in opening.find_files(name, folder)]
    if all(is_squad_file(path, options.encoding) for path in paths):
        return Squad(paths, encoding=options.encoding)
    return Records(open_data(names, folder, options), columns)


def find_questions(
    names: str | Sequence[str],
    folder: pathlib.Path,
    options: Options,
    table: Callable[[], Table],
    columns: Columns,
) -> tuple[str, str] | None:
    """Return the name and the layout of files that certainly hold questions; None otherwise.

    Args:
        names: files or patterns.
        folder: where relative names are looked up.
        options: how the files are read.
        table: opens the files, unless they have SQuAD's layout, as one table.
        columns: of the table, those that the user has named.
    """
    names = (names,) if isinstance(names, str) else names
    path = next(path for name in names for path in opening.find_files(name, folder))
    if is_squad_file(path, options.encoding):
        return str(path), Squad([path], encoding=options.encoding).layout
    if path.is_file() and opening.suffix(path) not in SUFFIXES:
        return None
    opened = table()
    rows = [row for _, row in itertools.islice(opened.rows(), _ROWS)]
    if not holds_questions(opened, rows, columns):
        return None
    return opened.name, Records(opened, columns).layout


def is_squad_file(path: pathlib.Path, encoding: str | None = None) -> bool:
    """Return whether a path is a file of JSON in SQuAD's layout.

    Args:
        path: need not be a file of JSON.
        encoding: None to detect it.
    """
    is_json = path.is_file() and opening.suffix(path) == ".json"
    return is_json and is_squad(path, encoding)
