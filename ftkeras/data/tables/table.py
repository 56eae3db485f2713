"""The interface of a table."""

from collections.abc import Iterator
from typing import Any, Protocol

Value = object
Row = tuple[Value, ...]


class Table(Protocol):
    """A file of rows with columns.

    Attributes:
        name: the file, as messages name it.
        columns: the names of the columns; "0", "1", … if the file does not name them.
        notes: what was detected, one phrase each, such as "delimiter ';'".
        schema: the Arrow schema if the format has one, else None.
    """

    name: str
    columns: tuple[str, ...]
    notes: tuple[str, ...]
    schema: Any

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Yield (line, values): values align with `columns`, None if there is none.

        `line` is where the row starts in the file, from 1, or its number in a binary format.
        """
        ...
