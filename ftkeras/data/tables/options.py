"""Options of questions in tables: the columns that hold them, and how answers name one."""

import ast
import contextlib
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftkeras.data.tables.profile import as_text, is_missing
from ftkeras.data.tables.table import Row, Value
from ftkeras.support.specs import NOT_PYTHON

# Columns that hold all options as a list.
_LISTS = ("choices", "options", "endings", "answers", "candidates", "alternatives")
# Columns that hold one option each, such as choice0 and choice1, option_a and option_b.
_NUMBERED = re.compile(
    r"(choice|option|ending|answer|sol|solution|hypothesis|hyp|alternative|candidate)"
    r"[ _-]?([0-9]|[a-j])",
    re.IGNORECASE,
)
# Columns that hold the answer.
_ANSWERS = (
    *("label", "answerkey", "answer_key", "answer", "correct_answer", "correct", "gold"),
    *("answer_index", "answer_idx", "target"),
)
# The first rows, which show where options are.
ROWS = 200
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Above this share, the other rows are mistakes. Below it, an answer that is no option is a class,
# such as the 2 of ties beside two options.
_MOST = 0.9
# Notations in which answers name an option, in the order in which they are tried.
NOTATIONS = ("name", "number from 0", "number from 1", "letter", "text")


@dataclass(frozen=True)
class Options:
    """The options of a question.

    Attributes:
        texts: in their order.
        names: of the options, if the data name them.
    """

    texts: tuple[str, ...]
    names: tuple[str, ...] = ()


def find_columns(columns: Sequence[str], rows: Sequence[Row]) -> tuple[int, ...]:
    """Return the positions of the columns that hold options; none if there are none.

    Args:
        columns: their names.
        rows: some rows.

    >>> find_columns(["question", "choice0", "choice1", "label"], [])
    (1, 2)
    >>> find_columns(["question", "options", "answer"], [("Who?", ["I", "you"], 0)])
    (1,)
    """
    lowered = [name.lower() for name in columns]
    for name in _LISTS:
        if name in lowered and rows:
            position = lowered.index(name)
            if _are_most(sum(_holds_options(row[position]) for row in rows), rows):
                return (position,)
    groups: dict[str, list[tuple[str, int]]] = {}
    for position, name in enumerate(lowered):
        if match := _NUMBERED.fullmatch(name):
            groups.setdefault(match[1], []).append((match[2], position))
    for group in groups.values():
        counters = sorted(counter for counter, _ in group)
        codes = [ord(counter) for counter in counters]
        if len(group) > 1 and counters[0] in "01a" and _are_consecutive(codes):
            return tuple(position for _, position in sorted(group))
    return ()


def find_answer(columns: Sequence[str], taken: Sequence[int]) -> int | None:
    """Return the position of the column that holds the answer, or None.

    Args:
        columns: their names.
        taken: the positions of the options.
    """
    lowered = [name.lower() for name in columns]
    positions = (lowered.index(name) for name in _ANSWERS if name in lowered)
    return next((position for position in positions if position not in taken), None)


def find(columns: Sequence[str], rows: Sequence[Row], label: int | None) -> tuple[int, ...]:
    """Return the positions of the columns of options, if the rows are questions with answers.

    A few may be none: they are mistakes, which reading the file names.

    Args:
        columns: their names.
        rows: some rows.
        label: the position of the answer; None to find it.

    >>> find(["question", "options", "answer"], [("Who?", ["I", "you"], "B")], None)
    (1,)
    >>> find(["text", "option1", "option2", "label"], [("Who?", "I", "you", "sad")], None)
    ()
    """
    positions = find_columns(columns, rows)
    answer = find_answer(columns, positions) if label is None else label
    if not positions or not rows or answer is None:
        return ()
    names = [columns[position] for position in positions]
    pairs = []
    for row in rows:
        with contextlib.suppress(ValueError):
            pairs.append((row[answer], read([row[position] for position in positions], names)))
    fitting = max(_count_named(notation, pairs) for notation in NOTATIONS)
    return positions if _are_most(fitting, rows) else ()


def read(values: Sequence[Value], names: Sequence[str] = ()) -> Options:
    """Return the options in the cells of a row.

    Args:
        values: one list of options; or a cell for each, of which the last ones may be empty. A list
            may be written as JSON, hold texts or {"text", "label"}, or be {"text": …, "label": …}.
        names: of several columns.

    Raises:
        ValueError: if there are fewer than two options, or they can't be read.

    >>> read([{"text": ["I", "you"], "label": ["A", "B"]}])
    Options(texts=('I', 'you'), names=('A', 'B'))
    >>> read(["I", "you", None], ["option_a", "option_b", "option_c"])
    Options(texts=('I', 'you'), names=('option_a', 'option_b'))
    """
    if len(values) == 1:
        options = _listed(values[0])
        if options is None:
            raise ValueError(f"options must be a list of texts. Received: {str(values[0])[:60]!r}")
    else:
        present = [not is_missing(value) for value in values]
        count = sum(present)
        if not all(present[:count]):
            raise ValueError(f"option {names[present.index(False)]!r} is empty, but not the last")
        texts = tuple(as_text(value) for value in values[:count])
        options = Options(texts, tuple(names[:count]))
    if len(options.texts) < 2:
        raise ValueError(f"a question needs two or more options. Received: {len(options.texts)}")
    return options


def find_notation(answers: Iterable[tuple[Value, Options]], *, preferred: str | None = None) -> str:
    """Return how answers name an option, one of `NOTATIONS`: the first that fits most of them.

    So numbers count from 1 if one of them is the number of options, and none is 0.

    Args:
        answers: each with the options that it names one of.
        preferred: the notation to try first.

    Raises:
        ValueError: if none fits a single answer; names the first.

    >>> options = Options(("I", "you"))
    >>> find_notation([("1", options), ("2", options)]), find_notation([("you", options)])
    ('number from 1', 'text')
    >>> find_notation([("1", options)]), find_notation([("1", options)], preferred="number from 1")
    ('number from 0', 'number from 1')
    """
    pairs = list(answers)
    notations = NOTATIONS if preferred is None else (preferred, *NOTATIONS)
    best = max(notations, key=lambda notation: _count_named(notation, pairs))
    if pairs and not _count_named(best, pairs):
        value, options = pairs[0]
        listed = ", ".join(map(repr, options.texts[:5]))
        raise ValueError(f"the answer {str(value)[:60]!r} is none of the options {listed}")
    return best


def index(notation: str, answer: Value, options: Options) -> int | None:
    """Return the position of the option that an answer names, from 0; None if there is none.

    >>> index("letter", "b", Options(("I", "you")))
    1
    """
    text = as_text(answer)
    if notation == "name":
        return options.names.index(text) if text in options.names else None
    if notation == "text":
        return options.texts.index(text) if text in options.texts else None
    if notation == "letter":
        at = _LETTERS.find(text.upper()) if len(text) == 1 else -1
    else:
        number = text.removesuffix(".0")
        at = int(number) - int(notation[-1]) if number.isdecimal() else -1
    return at if 0 <= at < len(options.texts) else None


def _count_named(notation: str, answers: Sequence[tuple[Value, Options]]) -> int:
    """Return how many answers name an option in a notation."""
    return sum(index(notation, *answer) is not None for answer in answers)


def _are_most(count: int, rows: Sequence[Row]) -> bool:
    return count > _MOST * len(rows)


def _are_consecutive(codes: Sequence[int]) -> bool:
    return all(second == first + 1 for first, second in itertools.pairwise(codes))


def _holds_options(value: Value) -> bool:
    options = _listed(value)
    return options is not None and len(options.texts) > 1


def _listed(value: Any) -> Options | None:
    """Return the options that one cell holds; None if it is no list of them."""
    if isinstance(value, str):
        value = _parsed(value)
    if isinstance(value, Mapping) and set(value) >= {"text", "label"}:
        texts, labels = _as_list(value["text"]), _as_list(value["label"])
    elif not isinstance(value, list | tuple):
        return None
    elif value and all(isinstance(each, Mapping) and "text" in each for each in value):
        texts = [each["text"] for each in value]
        labels = [each["label"] for each in value if "label" in each]
    else:
        texts, labels = value, ()
    if any(is_missing(text) or not isinstance(text, str | int | float) for text in texts):
        return None
    names = tuple(map(as_text, labels)) if len(labels) == len(texts) else ()
    return Options(tuple(map(as_text, texts)), names)


def _as_list(value: Any) -> Sequence[Any]:
    """Return a list as it is, and any other value as a list of it; None is an empty one."""
    if value is None:
        return []
    return value if isinstance(value, list | tuple) else [value]


def _parsed(text: str) -> Any:
    """Return the value of a text in the syntax of JSON or Python, or None."""
    if not text.lstrip().startswith(("[", "{")):
        return None
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text)
        except NOT_PYTHON:
            continue
    return None
