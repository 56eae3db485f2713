"""Spreadsheets: the first sheet of an `.xlsx` file, read with openpyxl."""

import contextlib
import pathlib
from collections.abc import Iterator, Sequence

from ftkeras.data.tables.header import has_header
from ftkeras.data.tables.table import Row
from ftkeras.errors import UserError

_SAMPLE_ROWS = 200


class Spreadsheet:
    """The first sheet of an `.xlsx` file: each cell as text. Empty rows are skipped.

    Args:
        path: the file.
        header: whether the first row names the columns; None to detect it.
        expected: names of columns; a first row that has them all is a header.

    Raises:
        UserError: if openpyxl is missing, the file is damaged or the sheet is empty; also while
            reading.
    """

    def __init__(
        self, path: pathlib.Path, *, header: bool | None = None, expected: Sequence[str] = ()
    ):
        self.path, self.name, self.schema = path, str(path), None
        sample = []
        for _, values in self._filled_rows():
            sample.append(["" if value is None else str(value) for value in values])
            if len(sample) == _SAMPLE_ROWS:
                break
        if not sample:
            raise UserError(f"`data`: the first sheet of {self.name!r} is empty.")
        self.header = has_header(sample, self.name, expected) if header is None else header
        # The file may end each row behind its last cell; a column need not have a name.
        first = [field.strip() for field in sample[0]]
        first += [""] * (max(map(len, sample)) - len(first))
        self.columns = tuple(first if self.header else map(str, range(len(first))))
        self.notes = (
            f"sheet {self._sheet_name!r}",
            "header in the first row" if self.header else "no header",
        )

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Yield (row number, cells as text), None for an empty cell."""
        skipped = not self.header
        for number, values in self._filled_rows():
            if not skipped:
                skipped = True
                continue
            texts = [None if value is None else str(value) for value in values]
            if any(text is not None for text in texts[len(self.columns) :]):
                raise UserError(
                    f"`data`: row {number} of {self.name!r} has {len(texts)} cells, but there are "
                    f"{len(self.columns)} columns; remove what is beside the table."
                )
            missing = len(self.columns) - len(texts)
            yield number, (*texts[: len(self.columns)], *[None] * missing)

    def _filled_rows(self) -> Iterator[tuple[int, tuple]]:
        try:
            import openpyxl
        except ImportError:
            raise UserError("`data`: .xlsx files need: pip install 'ftkeras[data]'") from None
        with _readable(self.name):
            book = openpyxl.load_workbook(self.path, read_only=True, data_only=True)
        with contextlib.closing(book):
            if not book.worksheets:
                raise UserError(
                    f"`data`: {self.name!r} has no sheet with cells; it may be damaged."
                )
            sheet = book.worksheets[0]
            self._sheet_name = sheet.title
            # Some programs write a wrong size, beyond which openpyxl would read nothing.
            sheet.reset_dimensions()
            with _readable(self.name):  # cells are parsed as they are read
                for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
                    if any(value is not None for value in values):
                        yield number, values


@contextlib.contextmanager
def _readable(name: str) -> Iterator[None]:
    """Re-raise what openpyxl finds wrong with a file as a UserError."""
    try:
        yield
    except Exception as error:  # openpyxl raises whatever its parsers do
        raise UserError(f"`data`: {name!r} can't be read ({error}).") from error
