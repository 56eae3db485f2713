"""Similarity: pairs of texts with a score in the user's own files."""

import math
from collections.abc import Sequence

from ftkeras.data.tables.reading import Options
from ftkeras.data.tables.table import Row, Table
from ftkeras.errors import UserError
from ftkeras.problems import Problem
from ftkeras.problems import similarity as problem
from ftkeras.tasks._own_files import Column, finite_number
from ftkeras.tasks._text_pairs import TextPairs


class Similarity(TextPairs):
    """Embed texts so that the cosine of two vectors is the similarity of the texts.

    Files may have the formats of `classification`, with two columns of texts and one of scores.
    Without a column of scores, the task is `positive_pairs`. Numbers of the rows are no scores.

    Args:
        train: a file, folder or glob pattern with the examples to train on, or several of these.
        test: files to test on; None to hold out a part of `train`.
        validation: files to validate on; None to hold out a part of `train`.
        text: the column of the first text, by name, or by number counted from 0.
        pair: the column of the second text.
        label: the column of the score.
        low: the score of texts that have nothing in common, whose cosine should be 0; None for the
            lowest score in training.
        high: the score of texts that mean the same, whose cosine should be 1; None for the highest
            score in training.
        header: whether the first row names the columns.
        delimiter: the character between the fields of a text file.
        encoding: the encoding of text files, such as 'cp1252'.
        data_dir: the folder for relative file names; None for the current one.
        known_labels: the names of the outputs of the run, when a run is evaluated.

    Raises:
        ValueError: if an argument is wrong. The message names it and the value.
    """

    problem_class = problem.Similarity
    labels = ("score",)

    def __init__(
        self,
        *,
        train: str | Sequence[str],
        test: str | Sequence[str] | None = None,
        validation: str | Sequence[str] | None = None,
        text: Column | None = None,
        pair: Column | None = None,
        label: Column | None = None,
        low: float | None = None,
        high: float | None = None,
        header: bool | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        data_dir: str | None = None,
        known_labels: Sequence[str] | None = None,
    ):
        if low is not None and high is not None and low >= high:
            raise ValueError(f"`low` must be below `high`, {high!r}. Received: {low!r}.")
        super().__init__(
            files={"train": train, "validation": validation, "test": test},
            text=text,
            answer=() if label is None else (label,),
            pair=pair,
            options=Options(header=header, delimiter=delimiter, encoding=encoding),
            data_dir=data_dir,
            known_labels=known_labels,
        )
        self._low, self._high = low, high

    def problem(self, labels: Sequence[str] | None = None) -> Problem:
        return self.problem_class(labels=labels or self.labels, low=self._low, high=self._high)

    def better_task(self) -> tuple[str, str] | None:
        """Return the task of pairs without scores, if there are none; see `Task`."""
        if self._is_evaluated or self._pair_columns.score is not None:
            return None
        name = self._table("train").name
        return "positive_pairs", f"{name!r} has no column of scores: each pair belongs together"

    def _check_answers(self) -> None:
        if self._pair_columns.score is None:
            raise UserError(
                f"`label_column`: name the column of {self._table('train').name!r} with the scores."
            )

    def _answer(self, table: Table, line: int, values: Row) -> float:
        score = finite_number(table, line, values[0])
        least = -math.inf if self._low is None else self._low
        most = math.inf if self._high is None else self._high
        if not least <= score <= most:
            raise UserError(
                f"`data`: line {line} of {table.name!r} has the score {score:g}, but the task says "
                f"that scores are from {least:g} to {most:g}."
            )
        return score
