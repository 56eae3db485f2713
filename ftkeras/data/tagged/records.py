"""Tagged texts in tables that hold lists: JSON, Parquet and Arrow."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftkeras.data.tables.inference import find_position
from ftkeras.data.tables.table import Row, Table
from ftkeras.data.tagged.entities import LeftOut, Tagged, from_tags
from ftkeras.data.tagged.label_studio import NOT_ANNOTATED, Tasks, are_annotations, find_annotations
from ftkeras.data.tagged.prodigy import find_answers, why_skipped
from ftkeras.data.tagged.spans import from_spans
from ftkeras.errors import UserError
from ftkeras.support import plurals
from ftkeras.support.tags import TAG

# The first rows, or lines, which show what a file holds.
ROWS = 200
_WORDS = ("tokens", "words", "sentence", "text")
_TAGS = ("ner_tags", "tags", "labels", "ner", "label")
_SPANS = ("entities", "spans", "label", "labels", "annotations")


@dataclass(frozen=True)
class Layout:
    """The columns of tagged texts.

    Attributes:
        name: in a few words.
        text: name of the column of words or of texts.
        label: that of the tags or of the spans.
        kind: "words" with tags, texts with "spans", or Label Studio's "tasks".
    """

    name: str
    text: str
    label: str
    kind: str


def find_layout(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    known: Sequence[str | None] = (None, None),
) -> Layout | None:
    """Return which columns hold tagged texts, from their names and some rows; None if none do.

    They do if most of the rows are tagged texts; reading the file names one that is not.

    Args:
        columns: their names.
        rows: some rows.
        known: the names of the text and the label, as far as they are known.
    """

    def values(name: str) -> list[Any]:
        position = columns.index(name)
        return [row[position] for row in rows if row[position] is not None]

    def first(names: Sequence[str], given: str | None, fits: Any) -> str | None:
        names = [name for name in names if name in columns] if given is None else [given]
        return next((name for name in names if _mostly(fits, values(name))), None)

    text, label = known
    if "data" in columns and (annotations := first(("annotations",), label, are_annotations)):
        return Layout("a Label Studio export", "data", annotations, "tasks")
    words, tags = first(_WORDS, text, _are_words), first(_TAGS, label, _are_tags)
    if words and tags and words != tags:
        return Layout(f"words in {words!r}, tags in {tags!r}", words, tags, "words")
    texts, spans = first(("text", "data"), text, _is_text), first(_SPANS, label, _are_spans)
    if texts and spans and any(values(spans)):
        return Layout(f"texts in {texts!r}, spans in {spans!r}", texts, spans, "spans")
    return None


class Records:
    """The tagged texts of a table.

    Its rows have words and tags; or a text and spans, which are [start, end, type] (Doccano),
    {"start", "end", "label"} (Prodigy), or the same with "labels" (Label Studio's JSON-MIN); or
    they are Label Studio's tasks. Rows that were rejected, ignored, cancelled or never annotated
    are left out.

    Args:
        table: the table.
        text: the column of the words or the text, by name or number from 0; None to infer it.
        label: the column of the tags or the spans; None to infer it.
        tags: names for tags that are numbers, by number.

    Raises:
        UserError: no columns hold tagged texts.
    """

    skipped: Sequence[str] = ()

    def __init__(
        self,
        table: Table,
        *,
        text: str | int | None,
        label: str | int | None,
        tags: Mapping[str, str],
    ):
        def named(column: str | int | None, argument: str) -> str | None:
            if column is None:
                return None
            return table.columns[find_position(table.name, table.columns, column, argument)]

        known = named(text, "text_column"), named(label, "label_column")
        rows = [row for _, row in itertools.islice(table.rows(), ROWS)]
        layout = find_layout(table.columns, rows, known)
        if layout is None:
            raise UserError(
                f"`data`: {table.name!r} has no words with tags and no texts with spans; its "
                f"columns are: {', '.join(map(repr, table.columns))}."
            )
        self.name, self.notes = table.name, (layout.name,)
        self._table, self._tags, self._kind = table, tags, layout.kind
        self._text, self._label = (table.columns.index(n) for n in (layout.text, layout.label))
        self._answer = find_answers(table.columns, rows)
        self._annotation = find_annotations(table.columns, self._label, rows)

    def rows(self) -> Iterator[tuple[int, Tagged]]:
        """Yield the line of each row, and its text with entities."""
        left_out: Counter[LeftOut] = Counter()
        read = self._reader(left_out)
        for line, row in self._table.rows():
            try:
                reason = self._why_skipped(row)
                tagged = None if reason else read(row[self._text], row[self._label])
            except ValueError as error:
                raise UserError(f"`data`: line {line} of {self.name!r}: {error}.") from None
            if reason:
                left_out[reason] += 1
            if tagged:
                yield line, tagged
        self.skipped = tuple(
            f"{plurals.counted(count, noun, f'{noun}s')} {rest}"
            for (noun, rest), count in left_out.items()
        )

    def _reader(self, left_out: Counter[LeftOut]) -> Callable[[Any, Any], Tagged | None]:
        """Return what reads a row's text and label in one pass, and counts what it leaves out."""
        readers = {"words": self._from_words, "spans": from_spans, "tasks": Tasks(left_out).read}
        return readers[self._kind]

    def _why_skipped(self, row: Row) -> LeftOut | None:
        if self._answer is not None:
            return why_skipped(row[self._answer])
        if self._annotation is None or row[self._label] is not None:
            return None
        return NOT_ANNOTATED if row[self._annotation] is None else None

    def _from_words(self, words: Any, tags: Any) -> Tagged:
        words, tags = words or [], [] if tags is None else tags
        if not _are_words(words) or not isinstance(tags, list | tuple):
            raise ValueError("words must be a list of strings, and tags a list")
        if len(words) != len(tags):
            raise ValueError(f"there are {len(words)} words, but {len(tags)} tags")
        return from_tags(words, [self._tag(tag) for tag in tags])

    def _tag(self, tag: Any) -> str:
        if isinstance(tag, int):
            if str(tag) not in self._tags:
                raise ValueError(
                    "tags are numbers; `label_names` must name each, such as 0=O,1=B-PER,2=I-PER. "
                    f"Received: {tag}"
                )
            tag = self._tags[str(tag)]
        if not isinstance(tag, str) or not TAG.fullmatch(tag):
            raise ValueError(
                "a tag must be O, or have a prefix and a type, as in B-PER. "
                f"Received: {str(tag)[:60]!r}"
            )
        return tag


def _mostly(fits: Callable[[Any], Any], values: Sequence[Any]) -> bool:
    """Return whether most values fit. Empty lists fit anything, so they count only if all are."""
    telling = [value for value in values if value] or values
    return sum(map(bool, map(fits, telling))) > len(telling) / 2


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are_words(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(word, str) for word in value)


def _are_tags(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(
        (isinstance(tag, str) and TAG.fullmatch(tag)) or type(tag) is int for tag in value
    )


def _are_spans(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(
        ("start" in span and "end" in span)
        if isinstance(span, Mapping)
        else isinstance(span, list | tuple) and len(span) == 3
        for span in value
    )
