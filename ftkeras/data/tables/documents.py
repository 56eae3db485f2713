"""Open texts without answers: a column of a table, the lines of files, or the files of folders."""

import pathlib
from collections.abc import Callable, Iterator, Sequence

from ftkeras.data.tables import inference, opening, reading
from ftkeras.data.tables.profile import profile
from ftkeras.data.tables.reading import Options, open_data
from ftkeras.data.tables.table import Table
from ftkeras.data.tables.texts import encode, joined
from ftkeras.errors import UserError

Column = str | int
# Rows that show which column has the texts.
_ROWS = 10_000
# Files by which a folder of `datasets.save_to_disk` is recognized.
_SAVED = ("state.json", "dataset_dict.json")


class Documents:
    """Texts that are read again in each pass.

    Attributes:
        notes: what was detected, a phrase each.
        texts: opens the files, and yields the texts that are not empty, as UTF-8.
    """

    def __init__(self, notes: tuple[str, ...], texts: Callable[[], Iterator[bytes]]):
        self.notes, self.texts = notes, texts


def open_documents(
    names: str | Sequence[str],
    folder: pathlib.Path,
    options: Options,
    columns: Sequence[Column] | None = None,
) -> Documents:
    """Open the files that names and patterns stand for.

    Each line of a file is a text, unless its suffix names a table: then a text is in a row. Each
    `.txt` file in a folder, however deep, is one text.

    Args:
        names: files, folders or patterns.
        folder: where relative names are looked up.
        options: what is known of tables.
        columns: of a table that make up the text, by name or number from 0; None to infer it.

    Raises:
        UserError: if there is no such file, it can't be read, or the column is not known.
    """
    names = (names,) if isinstance(names, str) else names
    paths = [path for name in names for path in opening.find_files(name, folder)]
    if columns is not None or any(map(_is_table, paths)):
        return _open_table(open_data(list(names), folder, options), columns)
    several = f"{len(paths)} files" if len(paths) > 1 else repr(str(paths[0]))
    what = "each file a text" if paths[0].is_dir() else "each line a text"

    def texts() -> Iterator[bytes]:
        for path in paths:
            yield from _texts(path, options.encoding)

    return Documents((f"{several}, {what}",), texts)


def _is_table(path: pathlib.Path) -> bool:
    if path.is_dir():
        return any((path / name).is_file() for name in _SAVED)
    return opening.suffix(path) in reading.SUFFIXES


def _texts(path: pathlib.Path, encoding: str | None) -> Iterator[bytes]:
    """Yield the lines of a file, or the text of each file in a folder."""
    files = sorted(path.rglob("*.txt")) if path.is_dir() else [path]
    if not files:
        raise UserError(f"`data`: the folder {str(path)!r} has no .txt file.")
    for file in files:
        with opening.open_text(file, opening.find_encoding(file, encoding)) as stream:
            for text in [stream.read()] if path.is_dir() else stream:
                if text.strip():
                    yield encode(text.strip("\r\n"))


def _open_table(table: Table, columns: Sequence[Column] | None) -> Documents:
    if columns is None:
        positions, pair = inference.infer_texts(profile(table, rows=_ROWS))
        positions = positions if pair is None else (*positions, pair)
    else:
        find, known = inference.find_position, (table.name, table.columns)
        positions = tuple(find(*known, name, "text_column") for name in columns)
    named = " and ".join(repr(table.columns[position]) for position in positions)

    def texts() -> Iterator[bytes]:
        for line, row in table.rows():
            if (text := joined(table, line, row, positions)).strip():
                yield encode(text)

    return Documents((*table.notes, f"text from column {named}"), texts)
