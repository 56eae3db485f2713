"""The texts in the rows of a table."""

from collections.abc import Sequence

from ftkeras.data.tables.table import Row, Table
from ftkeras.errors import UserError

# Between the columns that make up a text.
JOINT = "\n"


def joined(table: Table, line: int, row: Row, positions: Sequence[int]) -> str:
    """Return the text of some columns of a row; a missing value is an empty text.

    Raises:
        UserError: if a value is not a string.
    """
    values = [row[position] for position in positions]
    for value in values:
        if value is not None and not isinstance(value, str):
            raise UserError(
                f"`data`: line {line} of {table.name!r}: a text must be a string. "
                f"Received: {value!r}."
            )
    return JOINT.join("" if value is None else str(value) for value in values)


def encode(text: str) -> bytes:
    """Return a text as UTF-8; bytes that were not valid UTF-8 stay as they were."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # JSON can escape a lone surrogate, which no byte of a file was
        return text.encode("utf-8", "surrogatepass")
