"""Tagged texts in tables that hold lists: JSON, Parquet and Arrow."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftkeras.data.tables.inference import find_position
from ftkeras.data.tables.table import Table
from ftkeras.data.tables.texts import encode
from ftkeras.data.tagged.entities import Entity, Tagged, characters, from_tags
from ftkeras.errors import UserError
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
        has_words: whether they are words and tags.
    """

    name: str
    text: str
    label: str
    has_words: bool


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
    if "data" in columns and (annotations := first(("annotations",), label, _are_results)):
        return Layout("a Label Studio export", "data", annotations, has_words=False)
    words, tags = first(_WORDS, text, _are_words), first(_TAGS, label, _are_tags)
    if words and tags and words != tags:
        return Layout(f"words in {words!r}, tags in {tags!r}", words, tags, has_words=True)
    texts, spans = first(("text", "data"), text, _is_text), first(_SPANS, label, _are_spans)
    if texts and spans and any(values(spans)):
        return Layout(f"texts in {texts!r}, spans in {spans!r}", texts, spans, has_words=False)
    return None


class Records:
    """The tagged texts of a table.

    Its rows have words and tags; or a text and spans, which are [start, end, type] (Doccano),
    {"start", "end", "label"} (Prodigy), the same with "labels" (Label Studio's JSON-MIN), or Label
    Studio's results.

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
        self._table, self._tags, self._has_words = table, tags, layout.has_words
        self._text, self._label = (table.columns.index(n) for n in (layout.text, layout.label))

    def rows(self) -> Iterator[tuple[int, Tagged]]:
        """Yield the line of each row, and its text with entities."""
        read = self._from_words if self._has_words else self._from_spans
        for line, row in self._table.rows():
            try:
                yield line, read(row[self._text], row[self._label])
            except ValueError as error:
                raise UserError(f"`data`: line {line} of {self.name!r}: {error}.") from None

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

    def _from_spans(self, text: Any, spans: Any) -> Tagged:
        if isinstance(text, Mapping):  # Label Studio's data, whose text may have any name
            strings = [value for value in text.values() if isinstance(value, str)]
            text = text.get("text", strings[0] if len(strings) == 1 else None)
        if not isinstance(text, str):
            raise ValueError(f"a text must be a string. Received: {str(text)[:60]!r}")
        entities = sorted((_entity(text, span) for span in _results(spans)), key=lambda e: e[1:])
        for (_, _, end), (kind, start, stop) in itertools.pairwise(entities):
            if start < end:
                raise ValueError(f"the span {start} to {stop}, {kind}, overlaps another one")
        if len(text) != characters(text):  # invalid bytes count differently
            entities = [
                (kind, characters(text[:start]), characters(text[:stop]))
                for kind, start, stop in entities
            ]
        return Tagged(encode(text), entities)


def _entity(text: str, span: Any) -> Entity:
    if isinstance(span, Mapping):
        labels = span.get("labels")
        first = labels[0] if labels and isinstance(labels, list | tuple) else labels
        kind = first or span.get("label", span.get("type"))
        start, end = span.get("start"), span.get("end")
    elif isinstance(span, list | tuple) and len(span) == 3:
        start, end, kind = span
    else:
        raise ValueError(f"a span must be [start, end, type]. Received: {str(span)[:60]}")
    start, end = _offset(start), _offset(end)
    if not 0 <= start < end <= len(text):
        raise ValueError(
            f"the span {start} to {end} is outside its text of {len(text)} characters, or empty"
        )
    if not isinstance(kind, str) or not kind:
        raise ValueError(f"the span {start} to {end} has no label")
    # A span may include spaces around it, which no word does.
    inner = text[start:end]
    start, end = end - len(inner.lstrip()), start + len(inner.rstrip())
    if start >= end:
        raise ValueError(f"the span {start} to {end} holds nothing but spaces")
    return kind, start, end


def _offset(value: Any) -> int:
    """Return an offset as an integer; some tools write 4.0."""
    if isinstance(value, int | float) and float(value).is_integer():
        return int(value)
    raise ValueError(f"start and end of a span must be integers. Received: {str(value)[:60]!r}")


def _results(spans: Any) -> list[Any]:
    """Return the spans of a row; of Label Studio those of the last annotation not cancelled."""
    spans = spans or []
    if not isinstance(spans, list | tuple):
        raise ValueError(f"spans must be a list. Received: {str(spans)[:60]!r}")
    if not (spans and _are_results(spans)):
        return list(spans)
    done = [each for each in spans if not each.get("was_cancelled")]
    results = done[-1]["result"] if done else []
    return [each["value"] for each in results if "start" in each.get("value", {})]


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


def _are_results(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(each, Mapping) and "result" in each for each in value
    )
