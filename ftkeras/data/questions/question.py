"""A question, its context and its answers, wherever they were read from."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ftkeras.data.tables.texts import encode
from ftkeras.support.answers import Answer


@dataclass
class Question:
    """A question about a text, and the parts of the text that answer it.

    Attributes:
        text: the question.
        context: the text that holds the answers.
        answers: where each starts, in characters (code points) of the context as the model reads
            it, and its text; empty if the context has no answer.
        id: the question's own, or None.
        moved: how many answers were not where the data said.
    """

    text: str
    context: str
    answers: list[Answer] = field(default_factory=list)
    id: str | None = None
    moved: int = 0


def as_read(text: str) -> str:
    r"""Return a text as the model reads it: with U+FFFD for each invalid sequence of bytes.

    >>> as_read(b"a\xff".decode("utf-8", "surrogateescape"))
    'a�'
    """
    return encode(text).decode("utf-8", "replace")


def locate(
    question: str, context: str, answers: Sequence[tuple[str, int | None]], name: str | None = None
) -> Question:
    """Return a question whose answers are where they say they are.

    An answer that is not there is moved to the only place where its text occurs. Spaces around an
    answer are no part of it, and an empty answer is none.

    Args:
        question: the question.
        context: the text that holds the answers.
        answers: the text of each, and where it starts in characters; None if that is not known.
        name: the question's id, or None.

    Raises:
        ValueError: if an answer is elsewhere, and its text does not occur exactly once.

    >>> locate("When?", "In 1969, in July.", [("July", 13)])
    Question(text='When?', context='In 1969, in July.', answers=[(12, 'July')], id=None, moved=1)
    """
    located = Question(question, as_read(context), id=name)
    for text, start in answers:
        if stripped := text.strip():
            start = None if start is None else start + len(text) - len(text.lstrip())
            located.moved += not _is_at(context, stripped, start)
            start = _place(context, stripped, start)
            located.answers.append((len(as_read(context[:start])), as_read(stripped)))
    return located


def _place(context: str, text: str, start: int | None) -> int:
    if _is_at(context, text, start):
        assert start is not None
        return start
    first = context.find(text)
    if first < 0 or context.find(text, first + 1) >= 0:
        times = "does not occur in" if first < 0 else "occurs several times in"
        where = "has no start" if start is None else f"is not at character {start}"
        raise ValueError(f"the answer {text[:60]!r} {where}, and {times} its context")
    return first


def _is_at(context: str, text: str, start: int | None) -> bool:
    return start is not None and start >= 0 and context.startswith(text, start)
