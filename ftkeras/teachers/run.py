"""A finished run as a teacher."""

import dataclasses
import hashlib
import pathlib
import tempfile
from typing import Any

import numpy as np
import tensorflow as tf

from ftkeras import catalog
from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.data.reading import SplitReader
from ftkeras.data.task import Task
from ftkeras.errors import UserError
from ftkeras.experiment import build, feeds, optimization
from ftkeras.experiment.definition import Experiment
from ftkeras.problems import Problem, WordOutputs
from ftkeras.runs import inputs, layout
from ftkeras.runs import problem as recorded
from ftkeras.teachers.questions import Questions
from ftkeras.teachers.teacher import require_finite
from ftkeras.teachers.unlabelled import blank
from ftkeras.training import weights
from ftkeras.training.validation import predict_in_order

_TEXTS = "texts"


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
        config = dataclasses.replace(
            self._config, cache_dir=own.cache_dir, strategy=own.strategy, run_dir=str(self.folder)
        )
        experiment = build.experiment(config, run_dir=self.folder, devices=student.devices)
        weights.load(experiment.model.saved_variables, self.folder / layout.WEIGHTS)
        optimization.compile_to_evaluate(experiment)
        task = _OnlyTexts(experiment.problem, texts, pairs=self.pairs)
        with tempfile.TemporaryDirectory(prefix="ftkeras-") as folder:
            reader = SplitReader(
                config=config,
                task=task,
                text_layer=experiment.text_layer,
                folder=pathlib.Path(folder),
            )
            examples = reader.read(_TEXTS).select(questions.texts.rows)
        feed = feeds.ordered_feed(experiment, examples)
        title = f"asking {self.name}" if student.devices.is_chief else None
        outputs: Any = predict_in_order(experiment.model, feed, title=title)
        require_finite(self, experiment.problem.are_finite(outputs))
        if isinstance(outputs, WordOutputs):
            return _of_words(experiment.problem, outputs, questions)
        return _activated(experiment.problem, outputs)


def _of_words(problem: Problem, outputs: WordOutputs, questions: Questions) -> np.ndarray:
    """Return the answers to the words that the student reads."""
    owners = np.repeat(np.arange(len(outputs.spans)), outputs.spans.lengths)
    places = questions.find(owners, outputs.spans.flat())
    found = np.full((len(questions), outputs.logits.shape[1]), np.nan, np.float32)
    is_asked = places >= 0
    found[places[is_asked]] = _activated(problem, outputs.logits[is_asked])
    return found


def _activated(problem: Problem, outputs: np.ndarray) -> np.ndarray:
    return problem.activate(tf.constant(outputs)).numpy().astype(np.float32)


class _OnlyTexts(Task):
    """Texts whose answers are not known."""

    def __init__(self, problem: Problem, texts: tf.data.Dataset, *, pairs: bool):
        self._problem, self._texts = problem, texts
        self.labels, self.pairs = problem.names, pairs

    @property
    def problem_class(self) -> Any:
        return type(self._problem)

    def problem(self, labels: Any = None) -> Problem:
        return self._problem

    def splits(self) -> dict[str, tf.data.Dataset]:
        nothing = tf.constant(blank(self.target_spec))
        return {_TEXTS: self._texts.map(lambda row: {**row, "label": nothing})}
