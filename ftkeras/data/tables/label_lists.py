"""Read the labels of a text: a list, labels joined in a cell, or a column of 0 and 1 for each."""

import ast
import json
import re
from collections.abc import Iterable, Sequence

from ftkeras.data.tables.profile import Column, as_number, as_text, is_missing
from ftkeras.data.tables.table import Value
from ftkeras.errors import UserError
from ftkeras.support.specs import NOT_PYTHON

# Between the labels of a text, if a cell names several.
SEPARATORS = ",;|"
_INDICATORS = {"0": 0, "1": 1, "false": 0, "true": 1}


def holds_indicators(column: Column) -> bool:
    """Return whether every value of a column is 0 or 1."""
    known = all(indicator(value) is not None for value in column.counts)
    return bool(column.counts) and known and not (column.lists or column.missing)


def indicator(value: Value) -> int | None:
    """Return 0 or 1, also of 0.0, true and the like; None for anything else.

    >>> indicator("1.0"), indicator(False), indicator("2")
    (1, 0, None)
    """
    text = as_text(value).lower()
    number = as_number(text)
    if number is not None and number == int(number):
        text = str(int(number))
    return _INDICATORS.get(text)


def holds_lists(column: Column) -> bool:
    """Return whether the values of a column are lists, or texts that hold one each."""
    if column.lists:
        return True
    return bool(column.counts) and all(_parsed(value) is not None for value in column.counts)


def joining(values: Iterable[str]) -> list[str]:
    """Return the separators that join labels in these values, such as `,` in `joy,anger`.

    A separator joins labels if there are fewer different parts than values: `a`, `b` and `a,b` are
    two labels, but `red, green` and `blue` are two classes.

    >>> joining(["joy", "anger", "joy,anger"]), joining(["red, green", "blue"])
    ([','], [])
    """
    values = list(values)
    separators = []
    for separator in SEPARATORS:
        parts = [[part.strip() for part in value.split(separator)] for value in values]
        labels = {part for of_value in parts for part in of_value}
        if "" not in labels and len(labels) < len(values):
            separators.append(separator)
    return separators


def find_separator(name: str, values: Sequence[str]) -> str | None:
    """Return the character that joins labels in distinct values; None if there is none.

    Raises:
        UserError: if it may be one of several.
    """
    used = [one for one in SEPARATORS if any(one in value for value in values)]
    if len(used) < 2:
        return used[0] if used else None
    candidates = [one for one in joining(values) if one in used] or used
    if len(candidates) == 1:
        return candidates[0]
    examples = [next(v for v in values if one in v) for one in candidates]
    shown = " or ".join(
        f"{c!r}, as in {v[:60]!r}" for c, v in zip(candidates, examples, strict=True)
    )
    raise UserError(
        f"`label_separator`: the labels in {name!r} may be joined by {shown}; say which."
    )


def labels_of(value: Value, separator: str | None) -> list[str] | None:
    """Return the labels that a cell holds; none if it is empty.

    Args:
        value: a list, a text that holds one as JSON or Python write it, labels that are joined, or
            a single label.
        separator: between the labels of a text; None if it is a single one.

    Returns:
        The labels; None if a list holds something else than texts and numbers.

    >>> labels_of("joy, anger", ","), labels_of('["joy"]', ","), labels_of(3, None)
    (['joy', 'anger'], ['joy'], ['3'])
    """
    if isinstance(value, list | tuple):
        if any(is_missing(label) or isinstance(label, list | dict) for label in value):
            return None
        return [as_text(label) for label in value]
    if is_missing(value):
        return []
    text = as_text(value)
    if (parsed := _parsed(text)) is not None:
        return labels_of(parsed, separator)
    parts = text.split(separator) if separator else [text]
    return [part.strip() for part in parts if part.strip()]


def _parsed(text: str) -> list | None:
    """Return the list, tuple or set that a text holds, or None; a set in order."""
    if text[:1] + text[-1:] not in ("[]", "()", "{}"):
        return None
    # NumPy's notation has no commas, without which Python would join neighboring texts.
    between = r"(['\"])\s+(?=['\"])" if re.search("['\"]", text) else r"(\d\.?)\s+(?=-?\d)"
    for notation, read in ((text, json.loads), (re.sub(between, r"\1, ", text), ast.literal_eval)):
        try:
            value = read(notation)
        except NOT_PYTHON:
            continue
        if isinstance(value, set):
            return sorted(value, key=str)
        return list(value) if isinstance(value, list | tuple) else None
    return None
