"""Questions in the rows of a table."""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftkeras.data.questions.question import Question, locate
from ftkeras.data.tables import profile
from ftkeras.data.tables.inference import find_position
from ftkeras.data.tables.table import Row, Table
from ftkeras.errors import UserError

# The names of columns by which they are found, in lower case.
_NAMES = {
    "text": ("question", "query"),
    "pair": ("context", "passage", "paragraph", "document"),
    "label": ("answers", "answer", "answer_text"),
    "start": ("answer_start", "start", "answer_starts", "start_char"),
    "id": ("id", "qid", "question_id"),
}
_REQUIRED = {"text": "question", "pair": "context", "label": "answer"}
# The arguments that name the required columns, for messages.
_ARGUMENTS = {"text": "text_column", "pair": "pair_column", "label": "label_column"}


@dataclass(frozen=True)
class Columns:
    """The columns of a table of questions, by name or number from 0; None to find it by its name.

    Attributes:
        text: of the question.
        pair: of its context.
        label: of the answer.
        start: of where the answer starts.
    """

    text: str | int | None = None
    pair: str | int | None = None
    label: str | int | None = None
    start: str | int | None = None


def positions(table: Table, columns: Columns) -> dict[str, int]:
    """Return the positions of the columns that were named or found, by what they hold."""
    lower = [name.lower() for name in table.columns]
    known, by_role = dataclasses.asdict(columns), {}
    for role, names in _NAMES.items():
        given = known.get(role)
        if given is not None:
            argument = _ARGUMENTS.get(role, role)
            by_role[role] = find_position(table.name, table.columns, given, argument)
        elif name := next((name for name in names if name in lower), None):
            by_role[role] = lower.index(name)
    return by_role


def holds_questions(table: Table, rows: Sequence[Row], columns: Columns) -> bool:
    """Return whether a table certainly holds questions whose answers are in their contexts.

    With a column for their start, or answers in SQuAD's layout, it does. If the user has named the
    column of the answers, all of them must occur in their contexts.
    """
    try:
        at = positions(table, columns)
    except UserError:  # several columns are named, as of numbers, or one that is not there
        return False
    if not at.keys() >= _REQUIRED.keys():
        return False
    answered = [
        row for row in rows if row[at["label"]] != [] and not profile.is_missing(row[at["label"]])
    ]
    if not answered or all(_answers_in(row[at["label"]]) for row in answered):
        return bool(answered)
    if columns.label is None:
        return "start" in at
    return all(str(row[at["label"]]) in str(row[at["pair"]]) for row in answered)


class Records:
    """The questions of a table.

    A row has a question, a context, and an answer with its start; or answers as SQuAD's on the
    Hugging Face Hub, {"text": [...], "answer_start": [...]}, or as in its files, a list of {"text",
    "answer_start"}. An empty answer is none. Without a start, an answer must occur exactly once in
    its context.

    Args:
        table: the table.
        columns: those that are known.

    Raises:
        UserError: if a column can't be found.
    """

    def __init__(self, table: Table, columns: Columns):
        self.name, self._table = table.name, table
        self._at = positions(table, columns)
        for role, what in _REQUIRED.items():
            if role not in self._at:
                raise UserError(
                    f"`{_ARGUMENTS[role]}`: name the column of {table.name!r} with the {what}; its "
                    f"columns are: {', '.join(map(repr, table.columns))}."
                )
        self.columns: Mapping[str, str] = {role: table.columns[at] for role, at in self._at.items()}
        names = [f"{what}s in {self.columns[role]!r}" for role, what in _REQUIRED.items()]
        self.layout = ", ".join(names)

    def rows(self) -> Iterator[tuple[str, Question]]:
        """Yield the location of each row, for messages, and its question."""
        for line, row in self._table.rows():
            place = f"line {line} of {self.name!r}"
            name = self._cell(row, "id")
            if name is not None:
                place += f", question {name!r}"
            try:
                text, context = self._cell(row, "text"), self._cell(row, "pair")
                if not isinstance(text, str) or not isinstance(context, str):
                    raise ValueError("a question and its context must be texts")
                name = None if name is None else str(name)
                yield place, locate(text, context, self._answers(row), name)
            except ValueError as error:
                raise UserError(f"`data`: {place}: {error}.") from None

    def _cell(self, row: Row, role: str) -> Any:
        return row[self._at[role]] if role in self._at else None

    def _answers(self, row: Row) -> list[tuple[str, int | None]]:
        value, start = self._cell(row, "label"), self._cell(row, "start")
        if (answers := _answers_in(value)) is not None:
            value, start = answers
        texts = [value] if not isinstance(value, list | tuple) else value
        texts = [text for text in texts if not profile.is_missing(text)]
        if any(isinstance(text, Mapping | list | tuple) for text in texts):
            raise ValueError(
                "answers must be texts, or have 'text' and 'answer_start'. Received: "
                f"{str(value)[:60]}"
            )
        starts = start if isinstance(start, list | tuple) else [start] * len(texts)
        if len(starts) != len(texts):
            raise ValueError(f"there are {len(texts)} answers, but {len(starts)} starts")
        return [(str(text), _number(start)) for text, start in zip(texts, starts, strict=True)]


def _number(start: Any) -> int | None:
    """Return the start that a cell holds, also of a span such as `(3, 9)`; None if it is empty."""
    if profile.is_missing(start):
        return None
    match = re.fullmatch(r"\s*[(\[]?\s*(\d+)(\.0)?\s*(,\s*\d+\s*[)\]])?\s*", str(start))
    if match is None:
        raise ValueError(f"an answer's start must be an offset in characters. Received: {start!r}")
    return int(match[1])


def _answers_in(value: Any) -> tuple[Any, Any] | None:
    """Return the texts of SQuAD's answers and where they start; None if a cell holds none."""
    if _is_answer(value):
        return value["text"], value["answer_start"]
    if isinstance(value, list | tuple) and value and all(map(_is_answer, value)):
        return [each["text"] for each in value], [each["answer_start"] for each in value]
    return None


def _is_answer(value: Any) -> bool:
    return isinstance(value, Mapping) and {"text", "answer_start"} <= value.keys()
