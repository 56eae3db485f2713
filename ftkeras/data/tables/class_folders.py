"""A folder with one folder of text files per class."""

import pathlib
from collections.abc import Iterator

from ftkeras.data.tables import opening
from ftkeras.data.tables.table import Row
from ftkeras.errors import UserError


class ClassFolders:
    """Text files in one folder per class: `pos/1.txt` is a text of class `pos`.

    Args:
        path: the folder of the classes' folders.
        encoding: None to detect that of each file.

    Raises:
        UserError: if there are fewer than two folders of `.txt` files.
    """

    columns: tuple[str, ...] = ("text", "label")
    schema = None

    def __init__(self, path: pathlib.Path, *, encoding: str | None = None):
        self.path, self.name, self.encoding = path, str(path), encoding
        self._classes = sorted(
            f.name for f in path.iterdir() if f.is_dir() and any(f.glob("*.txt"))
        )
        if len(self._classes) < 2:
            raise UserError(
                f"`data`: {self.name!r} is a folder, but not of two or more folders with .txt "
                "files, one per class, and not one that datasets.save_to_disk wrote."
            )
        self.notes = (f"text files in folders {', '.join(self._classes[:5])}",)

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Yield (number from 1, (text, class)), class by class, files in order of their names."""
        number = 0
        for label in self._classes:
            for file in sorted((self.path / label).glob("*.txt")):
                encoding = opening.find_encoding(file, self.encoding)
                with opening.open_text(file, encoding, newline=None) as stream:
                    number += 1
                    yield number, (stream.read(), label)
