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
    """Predict one or several numbers for each text, or pair of texts, of your own files.

    Files may have the formats of `classification`. Arguments that are not given are inferred from
    the training data.

    Args:
        train: a file, folder or glob pattern with the examples to train on, or several of these.
        test: files to test on; None to hold out a part of `train`.
        validation: files to validate on; None to hold out a part of `train`.
        text: the column of the text, by name, or by number counted from 0; several columns are
            joined.
        label: the column of the number; or several columns, 'a,b' or a tuple, each with an output.
        pair: the column of the second text, if the examples are pairs.
        scale: "standard" to train on numbers minus their mean, divided by their standard deviation;
            or "none". Answers are in the data's own unit in any case.
        header: whether the first row names the columns.
        delimiter: the character between the fields of a text file.
        encoding: the encoding of text files, such as 'cp1252'.
        data_dir: the folder for relative file names; None for the current one.
        known_labels: the names of the outputs of the run, when a run is evaluated.

    Raises:
        ValueError: if an argument is wrong. The message names it and the value.
    """

    problem_class = problem.Regression
    several_columns = True

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
