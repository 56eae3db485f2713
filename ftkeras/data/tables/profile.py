"""Profile the columns of a table in one pass over its rows."""

import dataclasses
import itertools
import math
from collections.abc import Iterable

from ftkeras.data.tables.table import Row, Table, Value

# Distinct values that are counted per column; beyond them a column has "many".
MOST_DISTINCT = 1000


@dataclasses.dataclass
class Column:
    """The values of a column.

    Attributes:
        name: as the table has it.
        position: from 0.
        values: how many are not missing.
        missing: how many are None, NaN or blank.
        first_missing: line of the first of them, or None.
        characters: of all values as text.
        words: the same in words.
        numbers: how many values are finite numbers.
        integers: how many of these are whole.
        lists: how many values are lists.
        counts: distinct values with how often they occur, as text without surrounding blanks;
            no more than `MOST_DISTINCT`.
        overflowed: whether there are more.
        first_line: line on which each of `counts` first occurs.
    """

    name: str
    position: int
    values: int = 0
    missing: int = 0
    first_missing: int | None = None
    characters: int = 0
    words: int = 0
    numbers: int = 0
    integers: int = 0
    lists: int = 0
    counts: dict[str, int] = dataclasses.field(default_factory=dict)
    overflowed: bool = False
    first_line: dict[str, int] = dataclasses.field(default_factory=dict)

    def add(self, line: int, value: Value) -> None:
        """Count a value."""
        if is_missing(value):
            self.missing += 1
            if self.first_missing is None:
                self.first_missing = line
            return
        self.values += 1
        if isinstance(value, list | tuple):
            self.lists += 1
            return
        text = as_text(value)
        self.characters += len(text)
        self.words += text.count(" ") + 1
        number = as_number(text)
        if number is not None:
            self.numbers += 1
            self.integers += number == int(number)
        self._count(line, text)

    def _count(self, line: int, text: str) -> None:
        if text in self.counts:
            self.counts[text] += 1
        elif len(self.counts) < MOST_DISTINCT:
            self.counts[text], self.first_line[text] = 1, line
        else:
            self.overflowed = True

    @property
    def distinct(self) -> float:
        """Number of distinct values; infinite if they were too many to count."""
        return math.inf if self.overflowed else len(self.counts)

    @property
    def mean_words(self) -> float:
        """Mean number of words of a value."""
        return self.words / self.values if self.values else 0.0


@dataclasses.dataclass(frozen=True)
class Profile:
    """The columns of a table, and its rows."""

    name: str
    rows: int
    columns: tuple[Column, ...]


def profile(table: Table, *, rows: int | None = None) -> Profile:
    """Return a summary of each column; read the table once, in constant memory.

    Args:
        table: to be read.
        rows: of its first rows that are read; None for all.
    """
    return _profile(table.name, table.columns, itertools.islice(table.rows(), rows))


def _profile(name: str, names: tuple[str, ...], rows: Iterable[tuple[int, Row]]) -> Profile:
    columns = tuple(Column(name, position) for position, name in enumerate(names))
    count = 0
    for line, values in rows:
        count += 1
        for column, value in zip(columns, values, strict=True):
            column.add(line, value)
    return Profile(name, count, columns)


def is_missing(value: Value) -> bool:
    """Return whether there is no value: None, NaN or nothing but blanks."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or (isinstance(value, str) and not value.strip())


def as_text(value: Value) -> str:
    """Return a value as text without surrounding blanks; truth values as JSON writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value).strip()


def as_number(text: str) -> float | None:
    """Return the finite number that a text stands for, or None."""
    # Python reads 1_1 as 11.
    if not text or "_" in text or not (text[0].isdigit() or text[0] in "+-."):
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
