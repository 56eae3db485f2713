"""Regression: numbers for texts in the user's own files."""

import functools
from collections.abc import Sequence

from ftkeras.data.tables.reading import Options
from ftkeras.data.tables.table import Row, Table
from ftkeras.errors import UserError
from ftkeras.problems import Problem
from ftkeras.problems import regression as problem
from ftkeras.support import bounds
from ftkeras.tasks._own_files import Column, Columns, OwnFiles, column_names, finite_number


class Regression(OwnFiles):
    """Predict a number, or several, for texts or pairs of texts from the user's own files.

    The files are those of `classification`. What is not given is inferred from the training data.

    Args:
        train: file, folder or glob pattern of the examples to train on, or several of these.
        test: the same to test on; None to hold out a part of `train`.
        validation: the same to validate on; None to hold out a part of `train`.
        text: column of the text, by name or number from 0; several are joined.
        label: column of the number; several, 'a,b' or a tuple, for one output each.
        pair: column of the second text, if the examples are pairs.
        scale: standard, to train on numbers less their mean, divided by their standard deviation;
            or none. Answers are in the data's own unit in any case.
        header: whether the first row names the columns.
        delimiter: between the fields of a text file, one character.
        encoding: of text files, such as 'cp1252'.
        data_dir: folder in which relative file names are looked up; None for the current one.
        known_labels: the names of the outputs of a run that is evaluated.

    Raises:
        ValueError: naming the argument and the value received.
    """

    problem_class = problem.Regression

    def __init__(
        self,
        *,
        train: str | Sequence[str],
        test: str | Sequence[str] | None = None,
        validation: str | Sequence[str] | None = None,
        text: Columns | None = None,
        label: Columns | None = None,
        pair: Column | None = None,
        scale: str = "standard",
        header: bool | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        data_dir: str | None = None,
        known_labels: Sequence[str] | None = None,
    ):
        bounds.choice(problem.SCALES, scale=scale)
        super().__init__(
            files={"train": train, "validation": validation, "test": test},
            text=text,
            answer=column_names(label),
            pair=pair,
            options=Options(header=header, delimiter=delimiter, encoding=encoding),
            data_dir=data_dir,
        )
        self._scale, self._known_labels = scale, known_labels

    @functools.cached_property
    def labels(self) -> tuple[str, ...]:
        """Names of the outputs: those of the columns."""
        if self._known_labels is None:
            names = self._table("train").columns
            return tuple(names[position] for position in self._answer_positions)
        if len(self._known_labels) != len(self._answer_positions):
            raise UserError(
                f"`label_column`: the run predicts {len(self._known_labels)} numbers, but "
                f"{len(self._answer_positions)} columns are named."
            )
        return tuple(self._known_labels)

    def problem(self, labels: Sequence[str] | None = None) -> Problem:
        return self.problem_class(
            labels=self.labels if labels is None else labels, scale=self._scale
        )

    def _answer(self, table: Table, line: int, values: Row) -> list[float]:
        return [finite_number(table, line, value) for value in values]
