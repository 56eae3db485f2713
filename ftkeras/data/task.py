"""The interface of a task; the tasks themselves are in `ftkeras/tasks`."""

import pathlib
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

import tensorflow as tf

from ftkeras.errors import UserError
from ftkeras.problems import Problem
from ftkeras.problems.classification import Classification

LocatedRows = tuple[tuple[str, ...], Iterator[tuple[str, int, tuple[Any, ...]]]]


class Task(Protocol):
    """A dataset and its labels. Inherit from it to get the defaults.

    Attributes:
        problem_class: the class of its problem.
        labels: the names of the model's outputs, such as those of the classes, in their order.
        pairs: whether an example is a pair of texts.
        needs_test: whether a part of train is held out for test if the data has no such split.
        guards_test: whether texts that are in test, or nearly so, are left out of train.
        homepage: the URL of the dataset, or None.
        citation: how to cite the dataset, or None.
        license: the license of the dataset, or None if it is not known.
        language: the ISO 639-1 code of the texts' language, or None if it is not known.
        hub_dataset: the dataset's id on the Hugging Face Hub, or None.
        notes: what was detected in the data and inferred from it, a phrase each.
        warnings: what looks like a mistake in the data, a sentence each.
        columns: the columns that hold "text" (a list, because several are joined), "pair" and
            "label"; empty if the examples do not come from a table.
    """

    problem_class: ClassVar[Any] = Classification
    labels: tuple[str, ...]
    pairs: bool = False
    needs_test: bool = True
    guards_test: bool = False
    homepage: str | None = None
    citation: str | None = None
    license: str | None = None
    language: str | None = None
    hub_dataset: str | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    columns: Mapping[str, Any] = MappingProxyType({})

    def problem(self, labels: Sequence[str] | None = None) -> Problem:
        """Return the problem that a model of this task solves.

        Args:
            labels: the names of the outputs, as a run recorded them; None for those of the data.
        """
        return self.problem_class(labels=self.labels if labels is None else labels)

    @property
    def target_spec(self) -> tf.TensorSpec:
        """The shape and dtype of an answer."""
        problem = self.problem()
        return tf.TensorSpec(problem.target_shape, problem.target_dtype)

    def better_task(self) -> tuple[str, str] | None:
        """Return the name of the task that the data pose, and the reason; None for this one."""
        return None

    def splits(self) -> dict[str, tf.data.Dataset]:
        """Return "train" and, if the data has them, "test" and "validation".

        Each is a finite dataset in an order that never changes, with elements {"text": string (),
        "label": as `target_spec`} and, for pairs, "pair": string ().

        Raises:
            UserError: if the data can't be read.
        """
        ...

    def texts(self) -> dict[str, tf.data.Dataset]:
        """Return the texts of each split, {"text": string ()}, without their answers.

        "train" may have more texts than `splits` has, which nobody has labelled. The texts of a
        pair are two elements.

        Raises:
            UserError: if the data can't be read.
        """
        return {split: _texts(dataset, self.pairs) for split, dataset in self.splits().items()}

    def files(self) -> dict[str, list[pathlib.Path]]:
        """Return the files that each split is read from; empty if they are not known.

        Raises:
            UserError: if a file is missing.
        """
        return {}

    def located_rows(self, split: str) -> LocatedRows | None:
        """Return the rows of a split with their files and lines; None if it has no table.

        Args:
            split: train, validation or test.

        Returns:
            The names of the columns; and for each example, in the order of `splits`, the file, the
            line in it from 1, and the values of the columns.
        """
        return None

    def column(self, split: str, name: str, *, missing: str | None = None) -> list[str]:
        """Return the values of a column of a split's file, in the order of the split.

        Args:
            split: train, validation or test.
            name: of the column.
            missing: the value of rows that have none; None to refuse them.

        Raises:
            UserError: if there is no such column.
        """
        raise UserError(
            f"`group_by`: the task has no columns, so no {name!r}; use near_duplicates or none."
        )


def _texts(dataset: tf.data.Dataset, pairs: bool) -> tf.data.Dataset:
    names = ("text", "pair") if pairs else ("text",)
    return dataset.map(lambda example: {"text": tf.stack([example[n] for n in names])}).unbatch()
