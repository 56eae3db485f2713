"""From spans of a text, as tools for annotation write them, to entities."""

import itertools
import re
from collections.abc import Mapping
from typing import Any

from ftkeras.data.tables.texts import encode
from ftkeras.data.tagged.entities import Entity, Tagged, characters

# Label Studio records a line end as a backslash and an n.
_BLANK = r"(?:\s|\\n)"


def from_spans(text: Any, spans: Any) -> Tagged:
    """Return a text with its entities.

    A span is [start, end, type], or has "start", "end" and one of "label", "labels" and "type". If
    it also has "text", this must be what stands there; a span that is elsewhere is moved.

    Raises:
        ValueError: if it is no text, a span is wrong, or two overlap.

    >>> from_spans("Anna sings", [[0, 4, "PER"]])
    Tagged(text=b'Anna sings', entities=[('PER', 0, 4)], repaired=0, moved=0)
    """
    if not isinstance(text, str):
        raise ValueError(f"a text must be a string. Received: {str(text)[:60]!r}")
    spans = spans or []
    if not isinstance(spans, list | tuple):
        raise ValueError(f"spans must be a list. Received: {str(spans)[:60]!r}")
    located = [_entity(text, span) for span in spans]
    entities = sorted((entity for entity, _ in located), key=lambda entity: entity[1:])
    for (_, _, end), (kind, start, stop) in itertools.pairwise(entities):
        if start < end:
            raise ValueError(f"the span {start} to {stop}, {kind}, overlaps another one")
    if len(text) != characters(text):  # invalid bytes count differently
        entities = [
            (kind, characters(text[:start]), characters(text[:stop]))
            for kind, start, stop in entities
        ]
    return Tagged(encode(text), entities, moved=sum(is_moved for _, is_moved in located))


def _entity(text: str, span: Any) -> tuple[Entity, bool]:
    """Return an entity, and whether it was not where the span says."""
    if isinstance(span, Mapping):
        # Arrow fills in None for keys that only other spans have.
        kinds = (span.get(key) for key in ("labels", "label", "type"))
        kind = next((kind for kind in kinds if kind is not None), None)
        start, end, recorded = span.get("start"), span.get("end"), span.get("text")
    elif isinstance(span, list | tuple) and len(span) == 3:
        (start, end, kind), recorded = span, None
    else:
        raise ValueError(f"a span must be [start, end, type]. Received: {str(span)[:60]}")
    given = _offset(start), _offset(end)
    start, end = _place(text, recorded, *given) if isinstance(recorded, str) else given
    is_moved = (start, end) != given
    if not 0 <= start < end <= len(text):
        raise ValueError(
            f"the span {start} to {end} is outside its text of {len(text)} characters, or empty"
        )
    kind = _single(kind, f"the span {start} to {end}")
    # A span may include spaces around it, which no word does.
    inner = text[start:end]
    start, end = end - len(inner.lstrip()), start + len(inner.rstrip())
    if start >= end:
        raise ValueError(f"the span {start} to {end} holds nothing but spaces")
    return (kind, start, end), is_moved


def _offset(value: Any) -> int:
    """Return an offset as an integer; some tools write 4.0."""
    if isinstance(value, int | float) and float(value).is_integer():
        return int(value)
    raise ValueError(f"start and end of a span must be integers. Received: {str(value)[:60]!r}")


def _single(labels: Any, place: str) -> str:
    """Return the label of a span, which may be in a list."""
    names = labels if isinstance(labels, list | tuple) else [labels]
    if len(names) > 1:
        raise ValueError(f"{place} has several labels, {str(names)[1:-1][:60]}; one is needed")
    if not names or not isinstance(names[0], str) or not names[0]:
        raise ValueError(f"{place} has no label")
    return names[0]


def _place(text: str, recorded: str, start: int, end: int) -> tuple[int, int]:
    """Return where a span is, by the text that was recorded with it.

    That is at its offsets in characters (code points), at those in UTF-16 units, as Label Studio
    counts, or else at the only place where the recorded text occurs. Blanks may differ.
    """
    words = [re.escape(word) for word in re.split(f"{_BLANK}+", recorded) if word]
    if not words or (text[start:end] == recorded and end <= len(text)):
        return start, end
    pattern = f"{_BLANK}*".join(words)
    units = text.encode("utf-16-le", "surrogatepass")
    # A unit at the end may be half a character.
    counted = [len(units[: 2 * at].decode("utf-16-le", "replace")) for at in (start, end)]
    for first, last in ((start, end), counted):
        is_there = re.fullmatch(f"{_BLANK}*{pattern}{_BLANK}*", text[first:last])
        if is_there and last <= len(text):
            return first, last
    found = [match.span() for match in re.finditer(pattern, text)]
    if len(found) != 1:
        times = "occurs several times in" if found else "does not occur in"
        raise ValueError(
            f"the span {start} to {end} is {text[start:end][:60]!r}, but its text was recorded as "
            f"{recorded[:60]!r}, which {times} the whole text"
        )
    return found[0]
