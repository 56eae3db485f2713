"""Multi-label: several labels, or none, for texts in the user's own files."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

from ftkeras.data.tables import inference, label_lists, profile
from ftkeras.data.tables.inference import Roles
from ftkeras.data.tables.labels import Labels, find_labels, listed_labels, recorded_labels, renamed
from ftkeras.data.tables.reading import Options
from ftkeras.data.tables.table import Row, Table
from ftkeras.errors import UserError
from ftkeras.problems import Problem
from ftkeras.problems import multi_label as problem
from ftkeras.tasks._own_files import Columns, OwnFiles, column_names, given_labels


class MultiLabel(OwnFiles):
    """Assign any number of labels to each text, or pair of texts, of your own files.

    Files may have the formats of `classification`. The labels of a text are a list in one column,
    joined in one column (`joy,anger`), or in one column of 0 and 1 per label. A text may have no
    label. Arguments that are not given are inferred from the training data.

    Args:
        train: a file, folder or glob pattern with the examples to train on, or several of these.
        test: files to test on; None to hold out a part of `train`.
        validation: files to validate on; None to hold out a part of `train`.
        text: the column of the text, by name, or by number counted from 0; several columns are
            joined.
        label: the column of the labels; or, if each label has a column of 0 and 1, these columns,
            'a,b' or a tuple.
        pair: the column of the second text, if the examples are pairs.
        labels: names for the labels in the files, {'0': 'joy', '1': 'anger'}; or all names in the
            order of the labels, 'a,b,c' or a tuple, where the files may have numbers from 0
            instead. None for those in `train`: numbers in numerical order, words in alphabetical
            order.
        separator: the character between labels in a cell; None to detect `,`, `;` or `|`.
        threshold: "tuned" for each label's threshold with the highest F1 on validation, in which
            the decisions about all labels count too, the more the fewer examples have the label; or
            a probability from which all labels are predicted.
        header: whether the first row names the columns.
        delimiter: the character between the fields of a text file.
        encoding: the encoding of text files, such as 'cp1252'.
        data_dir: the folder for relative file names; None for the current one.
        known_labels: the labels of the run in their order, when a run is evaluated. Other labels
            are refused.

    Raises:
        ValueError: if an argument is wrong. The message names it and the value.
    """

    problem_class = problem.MultiLabel
    several_columns = True

    def __init__(
        self,
        *,
        train: str | Sequence[str],
        test: str | Sequence[str] | None = None,
        validation: str | Sequence[str] | None = None,
        text: Columns | None = None,
        label: Columns | None = None,
        pair: str | int | None = None,
        labels: str | Sequence[str] | Mapping[str, str] | None = None,
        separator: str | None = None,
        threshold: str | float = "tuned",
        header: bool | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        data_dir: str | None = None,
        known_labels: Sequence[str] | None = None,
    ):
        problem.check_threshold(threshold)
        if separator is not None and len(separator) != 1:
            raise ValueError(f"`separator` must be one character. Received: {separator!r}.")
        super().__init__(
            files={"train": train, "validation": validation, "test": test},
            text=text,
            answer=column_names(label),
            pair=pair,
            options=Options(header=header, delimiter=delimiter, encoding=encoding),
            data_dir=data_dir,
        )
        self._given_labels = None if labels is None else given_labels(labels, fewest=1)
        self._given_separator, self._threshold = separator, threshold
        self._known_labels = known_labels

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels; reads `train` once."""
        return self._labels.names

    @property
    def notes(self) -> tuple[str, ...]:
        """The facts that were detected and inferred, a phrase each."""
        columns = len(self._answer_positions)
        if columns > 1:
            return (*super().notes, f"labels from {columns} columns of 0 and 1")
        separator = self._separator
        return (*super().notes, *([] if separator is None else [f"labels joined by {separator!r}"]))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Likely mistakes in the labels, a sentence each."""
        return self._labels.warnings

    def problem(self, labels: Sequence[str] | None = None) -> Problem:
        return self.problem_class(
            labels=self.labels if labels is None else labels, threshold=self._threshold
        )

    def _check_answers(self) -> None:
        _ = self._labels  # reads the answers

    @functools.cached_property
    def _indicators(self) -> tuple[int, ...]:
        """The positions of the inferred columns of 0 and 1; empty if there are none."""
        if self._answer_columns:
            return ()
        columns = inference.find_indicators(self._sample, self._chosen)
        return tuple(column.position for column in columns)

    @functools.cached_property
    def _roles(self) -> Roles:
        if not self._indicators:
            return super()._roles
        chosen = dataclasses.replace(self._chosen, label=self._indicators[0])
        roles = inference.infer_roles(self._profile, chosen)
        names = [self._table("train").columns[position] for position in self._indicators]
        note = f"labels from columns {', '.join(map(repr, names))}"
        return dataclasses.replace(roles, notes=(note, *roles.notes))

    @property
    def _answer_positions(self) -> tuple[int, ...]:
        return self._indicators or super()._answer_positions

    @functools.cached_property
    def _separator(self) -> str | None:
        """The character between several labels in a cell; None if there is none."""
        if self._given_separator is not None:
            return self._given_separator
        # Of all rows: the first ones may have one label each.
        column = self._profile.columns[self._roles.label]
        if label_lists.holds_lists(column):
            return None
        return label_lists.find_separator(self._profile.name, list(column.counts))

    @functools.cached_property
    def _labels(self) -> Labels:
        given = self._given_labels
        if self._known_labels is not None:
            if isinstance(given, tuple):
                return listed_labels(self._known_labels)
            return recorded_labels(self._known_labels, given)
        if len(self._answer_positions) > 1:
            return self._named_columns(given)
        if isinstance(given, tuple):
            return listed_labels(given)
        table, position = self._table("train"), next(iter(self._answer_positions))
        column = profile.Column(table.columns[position], position)
        for line, row in table.rows():
            for label in self._cell(table, line, row[position]):
                column.add(line, label)
        if not column.counts:
            raise UserError(
                f"`label_column`: no text of {table.name!r} has a label in column {column.name!r}."
            )
        return find_labels(table.name, column, given, fewest=1)

    def _named_columns(self, given: tuple[str, ...] | dict[str, str] | None) -> Labels:
        """Return the labels that columns of 0 and 1 stand for: their names, or the given ones."""
        table = self._table("train")
        names = [table.columns[position] for position in self._answer_positions]
        if isinstance(given, tuple):
            if len(given) != len(names):
                raise UserError(
                    f"`label_names` has {len(given)} names for {len(names)} columns of labels."
                )
            names = given
        elif given is not None:
            names = renamed(table.name, names, given)
        return Labels(tuple(names), {})

    def _answer(self, table: Table, line: int, values: Row) -> list[int]:
        if len(values) > 1:
            return [self._indicator(table, line, value) for value in values]
        indicators = [0] * len(self.labels)
        for label in self._cell(table, line, next(iter(values))):
            number = self._labels.id_of(label)
            if number is None:
                names = ", ".join(map(repr, self.labels[:20]))
                raise UserError(
                    f"`data`: line {line} of {table.name!r} has the label {label!r}; the labels "
                    f"are {names}."
                )
            indicators[number] = 1
        return indicators

    def _cell(self, table: Table, line: int, value: object) -> list[str]:
        labels = label_lists.labels_of(value, self._separator)
        if labels is None:
            raise UserError(
                f"`data`: line {line} of {table.name!r}: labels must be texts or numbers. "
                f"Received: {value!r}."
            )
        return labels

    def _indicator(self, table: Table, line: int, value: object) -> int:
        number = label_lists.indicator(value)
        if number is None:
            what = "nothing" if profile.is_missing(value) else repr(value)
            raise UserError(
                f"`data`: line {line} of {table.name!r}: a column of a label must hold 0 or 1. "
                f"Received: {what}."
            )
        return number
