"""A finished run as a teacher."""

import hashlib
import pathlib

import numpy as np
import tensorflow as tf

from ftkeras import catalog
from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment import answering
from ftkeras.experiment.definition import Experiment
from ftkeras.problems import ContextOutputs, Problem, WordOutputs
from ftkeras.runs import inputs, layout
from ftkeras.runs import problem as recorded
from ftkeras.teachers.questions import Questions
from ftkeras.teachers.teacher import require_finite


class RunTeacher:
    """The model of a finished run; fulfils `Teacher`. It is built when it is first asked.

    Args:
        name: how the user named it.

    Raises:
        UserError: if it is not the folder of a finished run, or its answers to words are chains.
    """

    def __init__(self, name: str):
        self.name, self.folder = name, pathlib.Path(name)
        if not (self.folder / layout.WEIGHTS).is_file():
            raise UserError(
                f"teacher={name} is a run without weights ({layout.WEIGHTS}): finish it first."
            )
        self.problem = recorded.of_run(self.folder)
        self.pairs = bool(inputs.read(self.folder).get("pairs", False))
        self._config = flagfile.read(self.folder / layout.SETTINGS, Config)
        head = catalog.parse_head(self._config.head or self.problem.head).name or self.problem.head
        if reason := catalog.find("head", head).regularizers.get("distill"):
            raise UserError(f"teacher={name} has head={head}, which can't teach: {reason}.")

    def identity(self) -> str:
        """Return a hash of the weights, and of what else decides an answer."""
        digest = hashlib.sha256()
        names = (layout.WEIGHTS, layout.LABELS, layout.PROBLEM, layout.INPUTS)
        encoder = sorted((self.folder / layout.ENCODER).rglob("*"))
        for path in (*(self.folder / name for name in names), *encoder):
            if path.is_file():
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
        config = self._config
        digest.update(f"{config.head} {config.max_length} {config.truncation}".encode())
        return digest.hexdigest()

    def answer(
        self, questions: Questions, texts: tf.data.Dataset, student: Experiment
    ) -> np.ndarray:
        """Return its answers; see `Teacher.answer`. All workers of the student's run answer."""
        own = student.config
        settings = {"cache_dir": own.cache_dir, "strategy": own.strategy}
        experiment = answering.open_run(self.folder, devices=student.devices, **settings)
        examples = answering.read_texts(experiment, texts).select(questions.texts.rows)
        title = f"asking {self.name}" if student.devices.is_chief else None
        outputs = answering.outputs(experiment, examples, title=title)
        require_finite(self, experiment.problem.are_finite(outputs))
        if isinstance(outputs, WordOutputs):
            return _of_words(experiment.problem, outputs, questions)
        if isinstance(outputs, ContextOutputs):
            self._require_same_tokens(outputs, questions)
            return outputs.probabilities()
        answers = answering.activated(experiment.problem, outputs)
        return answers.reshape(len(answers), -1)

    def _require_same_tokens(self, outputs: ContextOutputs, questions: Questions) -> None:
        """Raise UserError unless the student reads tokens at the same places of each context."""
        assert questions.lengths is not None
        assert questions.spans is not None
        places = np.stack([outputs.starts, outputs.ends], axis=1)
        if not (
            np.array_equal(outputs.lengths, questions.lengths)
            and np.array_equal(places, questions.spans)
        ):
            raise UserError(
                f"teacher={self.name} reads the contexts in other tokens or windows than this run, "
                "so its answers are at other places; both need the same tokenizer, `max_length` "
                "and `truncation`."
            )


def _of_words(problem: Problem, outputs: WordOutputs, questions: Questions) -> np.ndarray:
    """Return the answers to the words that the student reads."""
    owners = np.repeat(np.arange(len(outputs.spans)), outputs.spans.lengths)
    places = questions.find(owners, outputs.spans.flat())
    answers = np.full((len(questions), outputs.logits.shape[1]), np.nan, np.float32)
    is_asked = places >= 0
    answers[places[is_asked]] = answering.activated(problem, outputs.logits[is_asked])
    return answers
