"""JSON in the layout of SQuAD 1.1 and 2.0."""

import json
import pathlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ftkeras.data.questions.question import Question, locate
from ftkeras.data.tables import opening
from ftkeras.errors import UserError

# The number of characters by which the layout is recognized, and their pattern.
_START = 1 << 16
_LOOKS_LIKE = re.compile(r'\s*\{.*"paragraphs"\s*:\s*\[|\s*\{.*"data"\s*:\s*\[\s*\{.*"paragraphs"')


class Squad:
    """Questions about the paragraphs of articles.

    A file is {"data": [{"paragraphs": [{"context", "qas": [{"question", "answers": [{"text",
    "answer_start"}], "id", "is_impossible"}]}]}]}. Files are read whole.
    Source: Rajpurkar et al., 2018, https://arxiv.org/abs/1806.03822.

    Args:
        paths: the files, read one after the other.
        encoding: None to detect it.
    """

    def __init__(self, paths: Sequence[pathlib.Path], *, encoding: str | None):
        self.name = str(paths[0]) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
        self.layout = "SQuAD's layout"
        # The columns of tables that the run is evaluated on later, unless others are named.
        self.columns: Mapping[str, str] = {"text": "question", "pair": "context"}
        self._paths, self._encoding = paths, encoding

    def rows(self) -> Iterator[tuple[str, Question]]:
        """Yield the location of each question, for messages, and the question."""
        for path in self._paths:
            for context, entry in _entries(path, self._encoding):
                yield _question(path, context, entry)

    def unanswered(self) -> Iterator[tuple[str | None, str, str]]:
        """Yield the id, the text and the context of each question, without reading answers."""
        for path in self._paths:
            for context, entry in _entries(path, self._encoding):
                name, place = _name_and_place(path, entry)
                try:
                    yield name, _member(entry, "question", str, "it"), context
                except ValueError as error:
                    raise UserError(f"`data`: {place}: {error}.") from None


def is_squad(path: pathlib.Path, encoding: str | None = None) -> bool:
    """Return whether a file of JSON has this layout, by its start."""
    with opening.open_text(path, opening.find_encoding(path, encoding)) as file:
        return _LOOKS_LIKE.match(file.read(_START).replace("\n", " ")) is not None


def _entries(path: pathlib.Path, encoding: str | None) -> Iterator[tuple[str, Any]]:
    """Yield the context and the entry of each question."""
    with opening.open_text(path, opening.find_encoding(path, encoding)) as file:
        try:
            whole = json.load(file)
        except (ValueError, RecursionError) as error:
            raise UserError(f"`data`: {str(path)!r} is not JSON ({error}).") from None
    try:
        for a, article in enumerate(_member(whole, "data", list, "the file")):
            place = f"data[{a}]"
            for p, paragraph in enumerate(_member(article, "paragraphs", list, place)):
                inner = f"{place}.paragraphs[{p}]"
                for entry in _member(paragraph, "qas", list, inner):
                    yield _member(paragraph, "context", str, inner), entry
    except ValueError as error:
        message = f"`data`: {str(path)!r} is not in SQuAD's layout: {error}."
        raise UserError(message) from None


_KINDS = {list: "a list", str: "a string", dict: "an object"}


def _member(owner: Any, key: str, kind: type, place: str) -> Any:
    """Return a member of an object of JSON.

    Raises:
        ValueError: naming the place, if the member is missing or of another kind.
    """
    if not isinstance(owner, dict) or key not in owner:
        raise ValueError(f"{place} lacks {key!r}")
    if not isinstance(owner[key], kind):
        raise ValueError(f"{key!r} of {place} must be {_KINDS[kind]}")
    return owner[key]


def _question(path: pathlib.Path, context: str, entry: Any) -> tuple[str, Question]:
    name, place = _name_and_place(path, entry)
    try:
        text = _member(entry, "question", str, "it")
        given = [] if entry.get("is_impossible") else _member(entry, "answers", list, "it")
        answers = [_answer(each) for each in given]
        return place, locate(text, context, answers, name)
    except ValueError as error:
        raise UserError(f"`data`: {place}: {error}.") from None


def _name_and_place(path: pathlib.Path, entry: Any) -> tuple[str | None, str]:
    """Return the id of a question, and what names it in messages."""
    name = entry.get("id") if isinstance(entry, Mapping) else None
    return None if name is None else str(name), f"question {name!r} of {str(path)!r}"


def _answer(entry: Any) -> tuple[str, int | None]:
    text, start = _member(entry, "text", str, "an answer"), entry.get("answer_start")
    if not (start is None or type(start) is int):
        raise ValueError(f"'answer_start' must be an integer. Received: {start!r}")
    return text, start
