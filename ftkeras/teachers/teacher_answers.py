"""Ask the teachers of a run about its training texts, once, and keep their answers."""

import hashlib
import logging
import pathlib
import time
from collections.abc import Sequence

import numpy as np

from ftkeras.data import cache_entries
from ftkeras.data.examples import Examples
from ftkeras.data.splits import Splits
from ftkeras.data.teacher_answers import TeacherAnswers
from ftkeras.data.token_cache import cache_folder
from ftkeras.errors import UserError
from ftkeras.experiment.definition import Experiment
from ftkeras.runs import layout
from ftkeras.support import times
from ftkeras.teachers import teacher as teachers
from ftkeras.teachers.questions import Questions, ask
from ftkeras.teachers.run import RunTeacher
from ftkeras.teachers.saved_model import SavedModelTeacher
from ftkeras.teachers.teacher import Teacher

log = logging.getLogger(__name__)

# The folder of the cache, and the file of an entry.
_FOLDER, _ANSWERS = "teacher_answers", "answers"


def open_teachers(experiment: Experiment, names: Sequence[str] = ()) -> list[Teacher]:
    """Return the teachers of a run, before they are loaded.

    Args:
        experiment: of the student.
        names: of the teachers; empty for those of its configuration.

    Raises:
        UserError: if one is no trained model, or was trained for something else.
    """
    opened = [_open(name) for name in names or experiment.config.teacher]
    for teacher in opened:
        teachers.columns(teacher, experiment)
        if differ := teachers.differing_splits(teacher, experiment):
            log.info(
                f"note: teacher={teacher.name} was trained with another {', '.join(differ)}, so it "
                "may have learned from texts that this run validates or tests on"
            )
    return opened


def learn(experiment: Experiment, splits: Splits, opened: list[Teacher]) -> TeacherAnswers | None:
    """Return the mean of the teachers' answers to the training texts; None without a teacher.

    An answer is kept in the cache of token ids, under a hash of the teacher's weights and the
    texts.

    Args:
        experiment: of the student.
        splits: of the student's run.
        opened: from `open_teachers`.

    Raises:
        UserError: if a teacher can't be loaded, its answers are not finite, or they are to the
            tokens of contexts and it reads other tokens.
    """
    if not opened:
        return None
    examples = splits.with_unlabelled(splits.train)
    questions = ask(examples)
    identities = [teacher.identity() for teacher in opened]
    asked = zip(opened, identities, strict=True)
    several = np.stack([_answers(*one, questions, experiment, splits) for one in asked])
    is_answered = np.asarray(~np.isnan(several).all(axis=(0, 2)))
    if missing := int((~is_answered).sum()):
        log.info(
            f"note: the teacher does not read {missing:,} of {len(questions):,} words, beyond its "
            "`max_length`; they are learned from the labels alone"
        )
    several[:, ~is_answered] = 0
    index = np.where(questions.index >= 0, questions.index, 0)
    return TeacherAnswers(
        values=np.nanmean(several, axis=0),
        index=np.where((questions.index >= 0) & is_answered[index], index, -1),
        labelled=_labelled(examples, splits, questions),
        teacher=" ".join(identities),
        of_places=questions.of_places,
    )


def _labelled(examples: Examples, splits: Splits, questions: Questions) -> np.ndarray:
    """Return whether the data have an answer, bool [stored texts, tokens or windows]."""
    labelled = np.ones(len(examples.stored_digests), bool)
    labelled[splits.unlabelled_rows] = False
    if examples.token_targets is not None:
        return np.repeat(labelled, np.diff(examples.offsets))
    if questions.of_places and examples.windows is not None:
        return labelled[examples.windows.texts]
    return labelled


def _open(name: str) -> Teacher:
    folder = pathlib.Path(name)
    if any(folder.glob("saved_model.pb")) or any(folder.glob("*/saved_model.pb")):
        return SavedModelTeacher(name)
    if (folder / layout.SETTINGS).is_file():
        return RunTeacher(name)
    raise UserError(f"teacher={name} is neither the folder of a run nor an exported model.")


def _answers(
    teacher: Teacher, identity: str, questions: Questions, student: Experiment, splits: Splits
) -> np.ndarray:
    """Return a teacher's answers, float32 [answers, outputs], from the cache if it has them."""
    # The texts are hashed as they are; the teacher reads them redacted.
    content = f"{identity}\n{student.config.redact}\n".encode() + questions.identity()
    key = hashlib.sha256(content).hexdigest()[:32]
    folder = cache_folder(student.config)
    home = None if folder is None else folder / _FOLDER
    is_kept = home is not None and cache_entries.is_intact(home / key)
    # All workers ask, if one of them has to: they compute together.
    if not student.devices.all_reduce_max(int(not is_kept)):
        assert home is not None
        log.info(f"teacher {teacher.name}: answers to {len(questions.texts):,} texts, cached")
        values = np.fromfile(home / key / _ANSWERS, np.float32).reshape(len(questions), -1)
    else:
        values = _ask(teacher, questions, student, splits)
        if home is not None:
            cache_entries.store(home, lambda draft: _write(draft, values, key))
    return values[:, teachers.columns(teacher, student)]


def _ask(teacher: Teacher, questions: Questions, student: Experiment, splits: Splits) -> np.ndarray:
    start = time.perf_counter()
    values = teacher.answer(questions, splits.texts(questions.texts.source), student)
    seconds = times.duration(time.perf_counter() - start)
    log.info(f"teacher {teacher.name}: answered {len(questions.texts):,} texts in {seconds}")
    return values


def _write(draft: pathlib.Path, values: np.ndarray, key: str) -> str:
    values.astype(np.float32).tofile(draft / _ANSWERS)
    return key
