"""Tell whether the first record of a table names its columns."""

from collections.abc import Sequence

from ftkeras.errors import UserError

# A header cell is a name, not a text; only beside a usual name may it be longer, as in a survey.
_LONGEST_NAME = 60


def has_header(records: Sequence[Sequence[str]], name: str, expected: Sequence[str] = ()) -> bool:
    """Return whether the first record names the columns.

    It does if it has all the `expected` names. If it counts the columns from 0, it does unless they
    hold nothing but numbers. It does not if one of its fields recurs in its column. Otherwise it
    does if it has a name that is common for columns, or if its fields are different short names,
    and in some column it is unlike the rest: not a number over numbers, or much shorter, or not one
    of few values that repeat.

    Raises:
        UserError: if there is one record only, so nothing to compare it with.
    """
    first, rest = [field.strip() for field in records[0]], records[1:]
    if expected and set(expected) <= set(first):
        return True
    is_known = _has_known_names(first)
    if not rest:
        looks = ", which looks like names of columns" if is_known else ""
        raise UserError(
            f"`data`: {name!r} has one row only{looks}; if it is an example, set `header` to "
            "false. Otherwise there are no examples."
        )
    others = [[field.strip() for field in row] for row in rest]
    if is_known:  # files that were joined repeat the line of names
        others = [row for row in others if row != first]
    columns = [[row[i] for row in others if i < len(row)] for i in range(len(first))]
    if _counts_columns(first):
        return not all(all(map(_is_number, column)) for column in columns)
    if any(field and field in column for field, column in zip(first, columns, strict=True)):
        return False
    return is_known or (
        _are_names(first)
        and any(_is_unlike(field, col) for field, col in zip(first, columns, strict=True) if col)
    )


def _counts_columns(fields: Sequence[str]) -> bool:
    """Return whether fields are as pandas writes them for columns without names."""
    # A column without a name may be the index that pandas writes.
    named = fields[1:] if fields[0] == "" else fields
    return bool(named) and list(named) == [str(number) for number in range(len(named))]


def _are_names(fields: Sequence[str]) -> bool:
    are_short = all(0 < len(field) <= _LONGEST_NAME for field in fields)
    return are_short and len(set(fields)) == len(fields) and not any(map(_is_number, fields))


# Names that are used for columns so often that a first line holding one is a header.
_KNOWN_NAMES = frozenset(
    [
        "text",
        "label",
        "sentence",
        "review",
        "class",
        "category",
        "target",
        "sentiment",
        "title",
        "body",
        "content",
        "id",
        "idx",
        "index",
        "stars",
        "rating",
        "score",
        "premise",
        "hypothesis",
        "question",
        "answer",
        "sentence1",
        "sentence2",
        "tweet",
        "comment",
    ]
)


def _has_known_names(fields: Sequence[str]) -> bool:
    return any(field.lower() in _KNOWN_NAMES for field in fields)


def _is_unlike(field: str, column: Sequence[str]) -> bool:
    if all(map(_is_number, column)):
        return True
    distinct = len(set(column))
    repeats = distinct <= max(2, len(column) // 4)
    mean = sum(map(len, column)) / len(column)
    return repeats or len(field) * 2 < mean


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
