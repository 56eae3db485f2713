"""The parts of a section of a report page. They are plain data; `pages` turns them into HTML."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

Figure = Any  # matplotlib's, which is imported only to draw


@dataclass(frozen=True)
class Marked:
    """A text whose pieces are highlighted: a part, or a cell of a table.

    Attributes:
        pieces: the text in pieces, each with a weight from -1 (against) to 1 (in favour).
    """

    kind: ClassVar = "marked"
    pieces: Sequence[tuple[str, float]]

    def __str__(self) -> str:
        return "".join(text for text, _ in self.pieces)


Cell = str | int | float | None | Marked


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar = "text"
    text: str


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    kind: ClassVar = "heading"
    text: str


@dataclass(frozen=True)
class Notice:
    """A sentence that must not be overlooked.

    Attributes:
        text: the sentence.
        level: "error", "warning", "good" or "info".
    """

    kind: ClassVar = "notice"
    text: str
    level: str = "warning"


@dataclass(frozen=True)
class Missing:
    """A note in place of something that can't be shown, with the reason."""

    kind: ClassVar = "missing"
    what: str
    reason: str

    def __post_init__(self):
        # Reasons are often errors, some of which are sentences.
        object.__setattr__(self, "reason", f"{self.reason.rstrip('.')}.")


@dataclass(frozen=True)
class Code:
    """A command or a program, shown as it is."""

    kind: ClassVar = "code"
    text: str
    title: str = ""


@dataclass(frozen=True)
class KeyNumber:
    """A number that a reader looks for first.

    Attributes:
        label: what it is.
        value: the number, formatted.
        note: a few more words, such as its interval.
    """

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class KeyNumbers:
    """A row of tiles, each with a number."""

    kind: ClassVar = "key_numbers"
    numbers: Sequence[KeyNumber]


@dataclass(frozen=True)
class Facts:
    """Names with their values, one a line."""

    kind: ClassVar = "facts"
    facts: Mapping[str, str]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: its heading.
        format: how its numbers are shown, for `str.format`.
        help: what it means, shown when the pointer rests on the heading.
        is_share: whether its numbers are from 0 to 1, and shown with a bar.
    """

    title: str
    format: str = ""
    help: str = ""
    is_share: bool = False


@dataclass(frozen=True)
class Table:
    """A table that can be sorted, and filtered if it is long.

    Attributes:
        name: what report.json calls it: lower-case letters and underscores.
        title: its caption.
        columns: their titles, or `Column`s.
        rows: as many cells in each as there are columns; None for an unknown value.
        note: what to know about it, below the table.
    """

    kind: ClassVar = "table"
    name: str
    title: str
    columns: Sequence[str | Column]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True)
class Plot:
    """A plot.

    Attributes:
        name: what its files are called: lower-case letters and underscores.
        title: what it shows, above it.
        draw: draws it on an empty matplotlib figure of the given size, with the colours of
            `style`, and without a title.
        alt: what a reader who can't see it must know: its message in a sentence or two.
        note: how to read it, below the plot.
        size: width and height in inches. At the default, two are side by side on a large screen,
            and the text is readable on a phone. A wider plot takes the whole width.
    """

    kind: ClassVar = "plot"
    name: str
    title: str
    draw: Callable[[Figure], None]
    alt: str
    note: str = ""
    size: tuple[float, float] = (4.5, 3.2)


@dataclass(frozen=True)
class Slider:
    """A control that shows one of several rows of numbers, such as those at each threshold.

    Without JavaScript, it shows the row of `starts`.

    Attributes:
        title: what it moves.
        columns: the titles of the numbers.
        rows: the formatted numbers at each position, of which the first is the position itself; a
            list for each name of several, such as labels, among which the reader chooses.
        starts: the number of the row that is shown first, by the same names.
    """

    kind: ClassVar = "slider"
    title: str
    columns: Sequence[str]
    rows: Mapping[str, Sequence[Sequence[str]]]
    starts: Mapping[str, int]


Part = (
    Text | Heading | Notice | Missing | Code | KeyNumbers | Facts | Table | Plot | Slider | Marked
)


@dataclass(frozen=True)
class Section:
    """A section of a page.

    Attributes:
        title: its heading.
        anchor: its id in the page and its key in report.json.
        parts: its content, from top to bottom.
        figures: its numbers for report.json, JSON types only; the tables are added to them.
    """

    title: str
    anchor: str
    parts: Sequence[Part]
    figures: Mapping[str, Any] = field(default_factory=dict)
