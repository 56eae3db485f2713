"""From the values of a label column to classes: their names, and the order of their ids."""

import collections
import dataclasses
import re
from collections.abc import Mapping, Sequence

from ftkeras.data.tables.profile import MOST_DISTINCT, Column, as_number, as_text
from ftkeras.data.tables.table import Value
from ftkeras.errors import UserError
from ftkeras.support import plurals

_SHOWN = 5
_INTEGER = re.compile(r"[+-]?\d+")
# How pandas and spreadsheets write a missing value; in a file, it is a text like any other.
_MISSING = ("nan", "-nan", "na", "#na", "<na>", "n/a", "#n/a", "nat", "null")


@dataclasses.dataclass(frozen=True)
class Labels:
    """The classes of a label column.

    Attributes:
        names: in the order of their ids.
        ids: the id of each value, as text.
        warnings: what looks like a mistake in the data, a sentence each.
    """

    names: tuple[str, ...]
    ids: Mapping[str, int]
    warnings: tuple[str, ...] = ()

    def id_of(self, value: Value) -> int | None:
        """Return the id of a value, or None if it is not among the classes."""
        text = as_text(value)
        known = self.ids.get(text)
        if known is None and (number := _number(text)) is not None:
            known = self.ids.get(_shown_number(number))
        return known


def find_labels(
    name: str, column: Column, given: Mapping[str, str] | None = None, *, fewest: int = 2
) -> Labels:
    """Return the classes of a column.

    Numbers are classes in numerical order, and `1` and `1.0` are one class; if all are spelled
    unlike their class, as `007`, a warning says so. Words are in alphabetical order. Labels that
    differ only in case stay apart, with a warning.

    Args:
        name: the file, for messages.
        column: its label column.
        given: names for the values, such as {"1": "World"}.
        fewest: classes that there must be.

    Raises:
        UserError: if a label is missing, there are fewer than `fewest` or too many, or `given` does
            not fit the values.
    """
    _refuse_missing(name, column)
    if column.overflowed:
        raise UserError(
            f"`label_column`: {column.name!r} of {name!r} has more than {MOST_DISTINCT:,} "
            "different values, too many to be classes."
        )
    classes = _classes(column)
    names = tuple(classes)
    if len(names) < fewest:
        raise UserError(
            f"`data`: every label of {name!r} is {names[0]!r}; two or more classes are needed."
        )
    ids = {value: number for number, values in enumerate(classes.values()) for value in values}
    ids |= {name: number for number, name in enumerate(names)}
    given = given or {}
    unnamed = {value: count for value, count in column.counts.items() if value not in given}
    warnings = (*_warnings(classes), *_like_missing(unnamed))
    return Labels(renamed(name, names, given), ids, warnings)


def recorded_labels(
    names: Sequence[str], given: Sequence[str] | Mapping[str, str] | None
) -> Labels:
    """Return the classes of a run, for evaluating it on other data.

    Args:
        names: of the run's classes, in the order of their ids.
        given: names for the values in the data, such as {"1": "World"}, or all names.

    Raises:
        UserError: if `given` has a name that is not one of the run's.
    """
    ids = {name: number for number, name in enumerate(names)}
    renamed = given if isinstance(given, Mapping) else {name: name for name in given or ()}
    if unknown := [name for name in renamed.values() if name not in ids]:
        raise UserError(
            f"`label_names` gives {_listed(unknown)}, but the labels of the run are "
            f"{_listed(names)}."
        )
    return Labels(tuple(names), ids | {value: ids[name] for value, name in renamed.items()})


def listed_labels(names: Sequence[str]) -> Labels:
    """Return labels that are all named, in the order of their ids; a value may be an id, from 0.

    >>> listed_labels(["joy", "anger"]).id_of("1"), listed_labels(["joy", "anger"]).id_of("joy")
    (1, 0)
    """
    ids = {str(number): number for number in range(len(names))}
    return Labels(tuple(names), ids | {name: number for number, name in enumerate(names)})


def _classes(column: Column) -> dict[str, list[str]]:
    """Return the values of each class, classes in the order of their ids."""
    values = list(column.counts)
    numbers = [number for value in values if (number := _number(value)) is not None]
    if len(numbers) < len(values):
        return {value: [value] for value in sorted(values)}
    classes = collections.defaultdict(list)
    for number, value in sorted(zip(numbers, values, strict=True)):
        classes[_shown_number(number)].append(value)
    return dict(classes)


def renamed(name: str, names: Sequence[str], given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of labels, some of which are given other ones.

    Args:
        name: the file, for messages.
        names: of its labels.
        given: new names for some.

    Raises:
        UserError: if a label is not there, or two have one name in the end.
    """
    if unknown := [value for value in given if value not in names]:
        raise UserError(
            f"`label_names` names {_listed(unknown)}, but the labels of {name!r} are "
            f"{_listed(names)}."
        )
    new = tuple(given.get(label, label) for label in names)
    if len(set(new)) < len(new):
        raise UserError(f"`label_names` gives one name to several labels: {_listed(new)}.")
    return new


def _warnings(classes: Mapping[str, list[str]]) -> tuple[str, ...]:
    lines = [
        f"{_listed(values)} are one label, {label!r}"
        for label, values in classes.items()
        if len(values) > 1
    ]
    respelled = {v[0]: label for label, v in classes.items() if len(v) == 1 and v[0] != label}
    if respelled:
        lines.append(
            f"the labels {_listed(list(respelled))} are read as numbers, and named "
            f"{_listed(list(respelled.values()))}"
        )
    by_lower_case = collections.defaultdict(list)
    for label in classes:
        by_lower_case[label.casefold()].append(label)
    lines += [
        f"the labels {_listed(labels)} differ only in case and are different classes; correct the "
        "data if they are one"
        for labels in by_lower_case.values()
        if len(labels) > 1
    ]
    return tuple(lines)


def _like_missing(counts: Mapping[str, int]) -> list[str]:
    return [
        f"{plurals.counted(count, 'label is', 'labels are')} {value!r}, which looks like a missing "
        f"value; remove {'this row' if count == 1 else 'these rows'}, or rename the label"
        for value, count in counts.items()
        if value.lower() in _MISSING
    ]


def _refuse_missing(name: str, column: Column) -> None:
    if column.missing:
        rows = "row" if column.missing == 1 else "rows"
        raise UserError(
            f"`data`: line {column.first_missing} of {name!r} has no label in column "
            f"{column.name!r} ({column.missing:,} such {rows}); remove or label them."
        )


def _number(text: str) -> int | float | None:
    """Return the number that a text stands for, or None; an integer exactly, however large."""
    number = as_number(text)
    return int(text) if number is not None and _INTEGER.fullmatch(text) else number


def _shown_number(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:_SHOWN]))
    return shown + (f", … ({len(names)} in all)" if len(names) > _SHOWN else "")
