"""Texts and their answers in the user's own files: what tasks on tables share."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from ftkeras.data.sources.stream import Example, stream
from ftkeras.data.tables import inference, profile
from ftkeras.data.tables.inference import Chosen, Roles, find_position
from ftkeras.data.tables.reading import Options, located_rows, open_data
from ftkeras.data.tables.table import Row, Table, Value
from ftkeras.data.tables.texts import encode, joined
from ftkeras.data.task import LocatedRows
from ftkeras.errors import UserError
from ftkeras.support.bounds import LARGEST_FLOAT32
from ftkeras.support.cached_methods import cached_method
from ftkeras.tasks._file_task import FileTask

Column = str | int
Columns = Column | Sequence[Column]
# The number of first rows by which the notation of answers is found.
SAMPLE_ROWS = 10_000


class OwnFiles(FileTask):
    """Texts, or pairs of texts, from the user's own files, with an answer for each.

    A subclass turns the columns of the answer into what its problem stores.

    Args:
        files: names of files by split; None for a split that is held out of "train".
        text: the column of the text, by name, or by number counted from 0; several columns are
            joined.
        answer: columns of the answer, see `column_names`; empty to infer it.
        pair: the column of the second text, if the examples are pairs.
        options: how the files are read.
        data_dir: the folder for relative file names; None for the current one.

    Attributes:
        several_columns: whether an answer may be in several columns.

    Raises:
        ValueError: if an argument is wrong. The message names it and the value.
    """

    several_columns = False

    def __init__(
        self,
        *,
        files: Mapping[str, str | Sequence[str] | None],
        text: Columns | None,
        answer: Sequence[Column],
        pair: Column | None,
        options: Options,
        data_dir: str | None,
    ):
        super().__init__(files=files, options=options, data_dir=data_dir)
        self._given_answer = tuple(answer)
        self._chosen_texts = {"text": column_names(text) or None, "pair": pair}

    @functools.cached_property
    def _chosen(self) -> Chosen:
        """The columns that the user chose; of an answer in several, the first."""
        return Chosen(**self._chosen_texts, label=next(iter(self._answer_columns), None))

    @functools.cached_property
    def _answer_columns(self) -> tuple[Column, ...]:
        return self._split(self._given_answer) if self.several_columns else self._given_answer

    def _split(self, given: tuple[Column, ...]) -> tuple[Column, ...]:
        """Return the columns that 'a,b' names, unless one of `train` has this name; or those given.

        The file is read only if there is a comma.
        """
        if len(given) != 1 or "," not in (name := str(given[0])):
            return given
        is_one = name in self._table("train").columns
        return given if is_one else tuple(part.strip() for part in name.split(","))

    @property
    def pairs(self) -> bool:
        """True if the examples are pairs of texts; reads `train` once if `text` is omitted."""
        if self._chosen.pair is not None:
            return True
        return self._chosen.text is None and self._roles.pair is not None

    @property
    def notes(self) -> tuple[str, ...]:
        """The facts that were detected and inferred, a phrase each."""
        return (*self._table("train").notes, *self._roles.notes)

    @property
    def columns(self) -> dict[str, object]:
        """The columns of `train` that hold the text, the second text and the answer."""
        roles = self._roles
        answers = self._named(self._answer_positions)
        return {
            "text": self._named(roles.text),
            "pair": None if roles.pair is None else self._named([roles.pair])[0],
            "label": answers[0] if len(answers) == 1 else answers,
        }

    def _named(self, positions: Sequence[int]) -> list[Column]:
        """Return the names of columns of `train`; the position if two have the same name."""
        names = self._table("train").columns
        return [names[p] if names.count(names[p]) == 1 else p for p in positions]

    def splits(self) -> dict[str, tf.data.Dataset]:
        """Return one dataset for each of train, validation and test that is given.

        Raises:
            UserError: for a file that is missing, empty or lacks a column.
        """
        for name in self._files:
            self._positions(name)
        self._check_answers()  # what is wrong with them shows before the first example
        settings = {"pairs": self.pairs, "target": self.target_spec}
        return {
            name: stream(functools.partial(self._examples, name), **settings)
            for name in self._files
        }

    def located_rows(self, split: str) -> LocatedRows:
        """Return the rows of a split with their files and lines; see `Task`."""
        table = self._table(split)
        return table.columns, located_rows(table)

    def column(self, split: str, name: Column, *, missing: str | None = None) -> list[str]:
        """Return the values of a column of a split, in the order of its rows.

        Args:
            split: train, validation or test.
            name: of the column, or its number.
            missing: the value of rows that have none; None to refuse them.

        Raises:
            UserError: if there is no such column, or a row has no value in it.
        """
        table = self._table(split)
        position = find_position(table.name, table.columns, name, "group_by")
        values = []
        for line, row in table.rows():
            is_missing = profile.is_missing(row[position])
            if is_missing and missing is None:
                raise UserError(
                    f"`group_by`: line {line} of {table.name!r} has no value in column {name!r}."
                )
            values.append(missing if is_missing else profile.as_text(row[position]))
        return values

    def _check_answers(self) -> None:
        """Raise UserError if the answers in `train` are not what the problem needs."""

    def _answer(self, table: Table, line: int, values: Row) -> Any:
        """Return the answer that a row has in its columns, as the problem stores it."""
        raise NotImplementedError

    @property
    def _answer_positions(self) -> tuple[int, ...]:
        """The positions of the answer's columns in `train`."""
        table = self._table("train")
        others = (
            find_position(table.name, table.columns, name, "label_column")
            for name in self._answer_columns[1:]
        )
        positions = (self._roles.label, *others)
        if len(set(positions)) < len(positions):
            given = ", ".join(map(str, self._answer_columns))
            raise UserError(
                f"`label_column` names a column of {table.name!r} twice. Received: {given}."
            )
        return positions

    @functools.cached_property
    def _profile(self) -> profile.Profile:
        found = profile.profile(self._table("train"))
        if not found.rows:
            raise UserError(f"`data`: {found.name!r} has no examples.")
        return found

    @functools.cached_property
    def _sample(self) -> profile.Profile:
        """A profile of the first rows of `train`, which show how answers are written."""
        return profile.profile(self._table("train"), rows=SAMPLE_ROWS)

    @functools.cached_property
    def _roles(self) -> Roles:
        if self._chosen.text is None or self._chosen.label is None:
            return inference.infer_roles(self._profile, self._chosen)
        return inference.chosen_roles(self._table("train"), self._chosen)

    @cached_method
    def _table(self, split: str) -> Table:
        return open_data(self._files[split], self._folder, self._options)

    @cached_method
    def _positions(self, split: str) -> tuple[tuple[int, ...], int | None, tuple[int, ...]]:
        """Return the positions of the columns of texts, second texts and answers in a split."""
        roles = self._roles
        text = tuple(self._position(split, p, "text_column") for p in roles.text)
        pair = None if roles.pair is None else self._position(split, roles.pair, "pair_column")
        answers = tuple(self._position(split, p, "label_column") for p in self._answer_positions)
        return text, pair, answers

    def _position(self, split: str, of_train: int, argument: str) -> int:
        """Return the position in a split of the column at a position of `train`."""
        names, table = self._table("train").columns, self._table(split)
        if names.count(names[of_train]) > 1 and table.columns == names:
            return of_train
        return find_position(table.name, table.columns, names[of_train], argument)

    def _examples(self, split: str) -> Iterator[Example]:
        table, (text, pair, answers) = self._table(split), self._positions(split)
        for line, row in table.rows():
            example: Example = {"text": encode(joined(table, line, row, text))}
            if pair is not None:
                example["pair"] = encode(joined(table, line, row, (pair,)))
            values = tuple(row[position] for position in answers)
            yield example | {"label": self._answer(table, line, values)}


def column_names(given: Columns | None) -> tuple[Column, ...]:
    """Return the columns that an argument lists: one or a sequence; empty if None.

    One may be 'a,b', which names several where that is allowed.
    """
    return (given,) if isinstance(given, str | int) else tuple(given or ())


def finite_number(table: Table, line: int, value: Value) -> float:
    """Return the number in a cell.

    Raises:
        UserError: if there is none, or it is not finite in float32; with its line.
    """
    number = None if profile.is_missing(value) else profile.as_number(profile.as_text(value))
    if number is None:
        what = "no number" if profile.is_missing(value) else repr(value)
        has_comma = profile.as_number(profile.as_text(value).replace(",", ".")) is not None
        remedy = ", with a decimal point" if has_comma else ""
        raise UserError(
            f"`data`: line {line} of {table.name!r}: the answer must be a finite number, such as "
            f"3.5{remedy}. Received: {what}."
        )
    if abs(number) > LARGEST_FLOAT32:
        raise UserError(
            f"`data`: line {line} of {table.name!r}: the answer must be at most "
            f"{LARGEST_FLOAT32:.2g} in size, the largest float32. Received: {value!r}."
        )
    return number


def given_labels(
    labels: str | Sequence[str] | Mapping[str, str], *, fewest: int = 2
) -> tuple[str, ...] | dict[str, str]:
    """Return the names that an argument gives labels: by label, or all in their order.

    Raises:
        ValueError: if there are fewer than `fewest`, two are the same, or one is empty.
    """
    if isinstance(labels, Mapping):
        if not all(str(name).strip() for name in labels.values()):
            raise ValueError(f"`labels` must give labels names, not ''. Received: {labels!r}.")
        return {str(value).strip(): str(name) for value, name in labels.items()}
    listed = labels.split(",") if isinstance(labels, str) else labels
    names = tuple(str(name).strip() for name in listed)
    if len(names) < fewest or len(set(names)) < len(names) or "" in names:
        number = "two" if fewest == 2 else "one"
        raise ValueError(
            f"`labels` must be {number} or more different names. Received: {labels!r}."
        )
    return names
