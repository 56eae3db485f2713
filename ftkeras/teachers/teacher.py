"""The interface of a teacher, and how one is found by its name."""

import pathlib
from typing import Protocol

import numpy as np
import tensorflow as tf

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment.definition import Experiment
from ftkeras.problems import Problem
from ftkeras.runs import layout
from ftkeras.teachers.questions import Questions

# What decides which texts a run has held out; and what does as well if near-duplicates, which are
# found by their tokens, stay together.
_SPLITS = (
    *("task", "data_dir", "test_share", "validation_share", "train_on_validation", "data_seed"),
    *("folds", "fold", "fold_repeat", "group_by"),
)
_BY_TOKENS = ("encoder", "max_length", "truncation", "redact")


class Teacher(Protocol):
    """A trained model that answers the texts of a student.

    Attributes:
        name: how the user named it.
        problem: what it was trained for.
        pairs: whether it takes pairs of texts.
        folder: where it records the settings of its run.
    """

    name: str
    problem: Problem
    pairs: bool
    folder: pathlib.Path

    def identity(self) -> str:
        """Return a string that determines its answers to a text."""
        ...

    def answer(
        self, questions: Questions, texts: tf.data.Dataset, student: Experiment
    ) -> np.ndarray:
        """Return an answer to each question, float32 [answers, its outputs]; NaN if it has none.

        Args:
            questions: what is asked.
            texts: the stored texts that the questions are about, {"text"} and maybe {"pair"}.
            student: who asks.

        Raises:
            UserError: if the teacher can't be loaded, or refuses a text.
        """
        ...


def columns(teacher: Teacher, student: Experiment) -> list[int]:
    """Return which of a teacher's outputs is each of the student's.

    Raises:
        UserError: if the teacher was trained for something else.
    """
    problem, own = teacher.problem, student.problem
    if problem.kind != own.kind:
        raise UserError(
            f"teacher={teacher.name} is a {problem.kind}, but this run trains a {own.kind}."
        )
    if teacher.pairs != student.pairs:
        takes = {False: "single texts", True: "pairs of texts"}
        raise UserError(
            f"teacher={teacher.name} takes {takes[teacher.pairs]}, but this run is trained on "
            f"{takes[student.pairs]}."
        )
    if (order := own.columns_of_teacher(problem.names)) is None:
        raise UserError(
            f"teacher={teacher.name} has the outputs {_listed(problem.names)}, but this run has "
            f"{_listed(own.names)}; both need the same names."
        )
    return order


def require_finite(teacher: Teacher, are_finite: np.ndarray) -> None:
    """Raise UserError unless all of a teacher's outputs are finite.

    Args:
        teacher: whose outputs they are.
        are_finite: bool [texts].
    """
    if count := int((~are_finite).sum()):
        raise UserError(
            f"teacher={teacher.name}: {count:,} of {len(are_finite):,} answers are not finite, so "
            "nothing can be learned from it."
        )


def differing_splits(teacher: Teacher, student: Experiment) -> list[str]:
    """Return the settings of a teacher's run by which it may have seen texts that are held out."""
    path, config = teacher.folder / layout.SETTINGS, student.config
    if not path.is_file():
        return ["task"]
    before, names = flagfile.read(path, Config), list(_SPLITS)
    if config.folds is not None:
        names.append("train_examples")
    if config.folds is not None or "test" not in student.task.splits():
        names += _BY_TOKENS
    return [name for name in names if getattr(before, name) != getattr(config, name)]


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(map(repr, names[:5]))
    return shown + (f", … ({len(names)} in all)" if len(names) > 5 else "")
