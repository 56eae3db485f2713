"""Show answers of any problem as words."""

from collections.abc import Iterable, Mapping
from typing import Any

NOTHING = "–"


def show(values: Iterable[Any], text: str | None = None) -> str:
    """Return answers in words, each once, in their order; "–" if there is none.

    Args:
        values: names, numbers, spans of a text, as predictions.jsonl has them, and lists of these.
        text: that spans without a text of their own are of; None if it is not known, and spans
            are shown by their types alone.

    >>> show(["good"]), show([["joy", "love"]]), show([[]]), show([None]), show([[0.25, 3.0]])
    ('good', 'joy, love', '–', '–', '0.25, 3')
    >>> spans = [{"type": "PER", "start": 0, "end": 4}, {"type": "PER", "start": 9, "end": 12}]
    >>> show([spans], "Anna and Bob"), show([spans])
    ('Anna (PER), Bob (PER)', 'PER')
    """
    return ", ".join(dict.fromkeys(_words(values, text))) or NOTHING


def _words(values: Iterable[Any], text: str | None) -> Iterable[str]:
    for value in values:
        if isinstance(value, list):
            yield from _words(value, text)
        elif isinstance(value, Mapping):
            yield _span(value, text)
        elif isinstance(value, float):
            yield f"{value:.4g}"
        elif value is not None:
            yield str(value)


def _span(span: Mapping[str, Any], text: str | None) -> str:
    if "type" not in span:  # the answer to a question
        return str(span.get("text", NOTHING))
    if text is None:
        return str(span["type"])
    return f"{text[span['start'] : span['end']]} ({span['type']})"
