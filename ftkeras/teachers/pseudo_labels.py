"""Answers of an earlier model as labels of texts that have none."""

from dataclasses import dataclass, replace

import numpy as np

from ftkeras import catalog
from ftkeras.data.examples import Examples
from ftkeras.data.splits import Splits
from ftkeras.data.teacher_answers import TeacherAnswers
from ftkeras.errors import UserError
from ftkeras.experiment.definition import Experiment
from ftkeras.phases.self_training import SelfTraining


class NothingIsConfident(UserError):  # noqa: N818  an outcome rather than an error
    """Report that no answer is taken."""


@dataclass(frozen=True)
class PseudoLabels:
    """The examples of a round of self-training.

    Attributes:
        train: the labelled texts and, behind them, those whose answers are taken.
        counts: how many answers are taken of each label, by its name.
        asked: how many texts were answered.
    """

    train: Examples
    counts: dict[str, int]
    asked: int


def add(experiment: Experiment, splits: Splits, answers: TeacherAnswers) -> PseudoLabels:
    """Return the training texts and, as further examples, the unlabelled ones with sure answers.

    Args:
        experiment: of a run with `self_training`.
        splits: of the run, with unlabelled texts.
        answers: of the round before, to `splits.with_unlabelled(splits.train)`.

    Raises:
        NothingIsConfident: if no answer is taken.
    """
    spec = experiment.config.self_training or ""
    part: SelfTraining = catalog.build("self_training", spec)
    examples, rows = splits.with_unlabelled(splits.train), splits.unlabelled_rows
    probabilities = answers.values[answers.index[rows]]
    is_taken, labels = part.choose(probabilities), probabilities.argmax(axis=1)
    if not is_taken.any():
        raise NothingIsConfident(
            f"self_training={spec}: none of {len(rows):,} answers is confident enough; the highest "
            f"probability is {probabilities.max():.3f}."
        )
    targets = np.array(examples.stored_targets)
    targets[rows[is_taken]] = labels[is_taken]
    kept = np.concatenate([splits.train.rows, rows[is_taken]])
    taken = np.bincount(labels[is_taken], minlength=len(experiment.problem.names))
    return PseudoLabels(
        replace(examples, stored_targets=targets, rows=kept),
        dict(zip(experiment.problem.names, taken.tolist(), strict=True)),
        len(rows),
    )
