"""An exported model as a teacher."""

import pathlib

import numpy as np
import tensorflow as tf

from ftkeras.errors import UserError
from ftkeras.experiment.definition import Experiment
from ftkeras.prediction.predictor import Predictor
from ftkeras.prediction.progress import show_progress
from ftkeras.runs import exported
from ftkeras.serving.model_folder import find_model
from ftkeras.teachers.questions import Questions
from ftkeras.teachers.teacher import require_finite

# Texts that are in memory at once.
_CHUNK = 1024
# What problems answer within a text, of which an export returns only the result.
_UNITS = {"words": "word", "contexts": "token"}


class SavedModelTeacher:
    """A SavedModel that ftkeras exported; fulfils `Teacher`.

    Args:
        name: how the user named it.

    Raises:
        UserError: if it can't be read, or does not answer with numbers.
    """

    def __init__(self, name: str):
        self.name = name
        try:
            self.folder: pathlib.Path = find_model(name, "train")
            self._predictor = Predictor(self.folder)
        except UserError as error:
            raise UserError(str(error).replace("model=", "teacher=")) from error
        self.problem, self.pairs = self._predictor.problem, self._predictor.takes_pairs
        if (unit := _UNITS.get(self.problem.reads)) is not None:
            raise UserError(
                f"teacher={name}: the export of a {self.problem.kind} answers no probabilities of "
                f"each {unit}; name the folder of its run."
            )

    def identity(self) -> str:
        """Return a digest of the model."""
        return exported.fingerprint(self.folder)

    def answer(
        self, questions: Questions, texts: tf.data.Dataset, student: Experiment
    ) -> np.ndarray:
        """Return its answers; see `Teacher.answer`."""
        rows, values = questions.texts.rows, []
        wanted = np.zeros(rows.max(initial=-1) + 1, bool)
        wanted[rows] = True
        chosen = texts.take(len(wanted)).batch(_CHUNK)
        with show_progress(len(rows)) as progress:
            for number, chunk in enumerate(chosen.as_numpy_iterator()):
                is_asked = wanted[number * _CHUNK :][: len(chunk["text"])]
                columns = [
                    [text.decode("utf-8", "surrogateescape") for text in chunk[name][is_asked]]
                    for name in ("text", *(["pair"] if self.pairs else []))
                ]
                if columns[0]:
                    outputs = self._predictor.outputs(*columns, on_batch=progress.update)
                    values += [row[self.problem.output] for row in outputs]
        answers = np.array(values, np.float32).reshape(len(values), -1)
        require_finite(self, np.asarray(np.isfinite(answers).all(axis=1)))
        return answers
