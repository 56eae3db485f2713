"""Store the answers to a question about a text as bytes, and read them again."""

import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ftkeras.support.tags import Move

# Where an answer starts, in characters of its context, and its text.
Answer = tuple[int, str]


class Answered(NamedTuple):
    """The context, the answers and the id of a question.

    Attributes:
        context: the text that holds the answers.
        answers: the right ones, the one to train on first; none if the context has no answer.
        id: of the question, or None.
    """

    context: str
    answers: tuple[Answer, ...]
    id: str | None = None


def encode(context: str, answers: Sequence[Answer], name: str | None = None) -> bytes:
    """Return the context, the answers and the id of a question as bytes.

    >>> decode(encode("In 1969.", [(3, "1969")], "a7"))
    Answered(context='In 1969.', answers=((3, '1969'),), id='a7')
    """
    return json.dumps([context, answers, name], separators=(",", ":")).encode()


def decode(stored: bytes | np.ndarray) -> Answered:
    """Return the question that `encode` stored; without answers if nothing is stored."""
    context, answers, name = json.loads(bytes(stored) or b'["", [], null]')
    return Answered(context, tuple((start, text) for start, text in answers), name)


def moved(answer: bytes, text: str, move: Move) -> tuple[bytes, int]:
    """Return a question with its answers in another version of the context; none is left out.

    Args:
        answer: as `encode` wrote it.
        text: the other version of the context.
        move: starts, ends -> starts, ends, in characters, integer [answers].
    """
    known = decode(answer)
    starts = np.array([start for start, _ in known.answers], np.int64)
    ends = starts + np.array([len(moved_answers) for _, moved_answers in known.answers], np.int64)
    places = zip(*(part.tolist() for part in move(starts, ends)), strict=True)
    moved_answers = dict.fromkeys((start, text[start:end]) for start, end in places)
    return encode(text, list(moved_answers), known.id), 0
