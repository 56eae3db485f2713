"""Ask the model of a finished run about further texts."""

import dataclasses
import pathlib
import tempfile
from typing import Any

import numpy as np
import tensorflow as tf

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.data.examples import Examples
from ftkeras.data.reading import SplitReader
from ftkeras.data.task import Task
from ftkeras.experiment import build, features, feeds, optimization
from ftkeras.experiment.definition import Experiment
from ftkeras.problems import Problem
from ftkeras.runs import layout
from ftkeras.strategies import Devices
from ftkeras.support import bars, messages
from ftkeras.training import weights
from ftkeras.training.validation import predict_in_order

_TEXTS = "texts"


def open_run(
    run_dir: pathlib.Path, *, devices: Devices | None = None, **settings: Any
) -> Experiment:
    """Return the model of a finished run, ready to answer.

    Args:
        run_dir: the run's folder.
        devices: the devices of the run that asks; None to open the answering run's own.
        **settings: fields of the configuration that are other than the run's.

    Raises:
        UserError: if it is not the folder of a finished run.
    """
    recorded = flagfile.read(run_dir / layout.SETTINGS, Config)
    config = dataclasses.replace(recorded, **{"run_dir": str(run_dir), **settings})
    experiment = build.experiment(config, run_dir=run_dir, devices=devices)
    weights.load(experiment.model.saved_variables, run_dir / layout.WEIGHTS)
    optimization.compile_to_evaluate(experiment)
    return experiment


def read_texts(experiment: Experiment, texts: tf.data.Dataset) -> Examples:
    """Return texts as token ids.

    Args:
        experiment: whose model is to read them.
        texts: {"text"} and, for pairs, {"text", "pair"}.

    Raises:
        UserError: if there is none, or they can't be read.
    """
    task = _OnlyTexts(experiment.problem, texts, pairs=experiment.pairs)
    with tempfile.TemporaryDirectory(prefix="ftkeras-") as folder:
        reader = SplitReader(
            config=experiment.config,
            task=task,
            text_layer=experiment.text_layer,
            folder=pathlib.Path(folder),
        )
        return reader.read(_TEXTS)


def outputs(experiment: Experiment, examples: Examples, *, title: str | None = None) -> Any:
    """Return the model's outputs for some texts, in their order; see `predict_in_order`.

    Args:
        experiment: from `open_run`.
        examples: from `read_texts`.
        title: of the progress bar; None for no bar.
    """
    return predict_in_order(experiment.model, feeds.ordered_feed(experiment, examples), title=title)


def activated(problem: Problem, logits: np.ndarray) -> np.ndarray:
    """Return outputs as answers in numbers, such as probabilities, float32 of the same shape."""
    return problem.activate(tf.constant(logits)).numpy().astype(np.float32)


def vectors(experiment: Experiment, examples: Examples) -> np.ndarray | None:
    """Return the vector that the head or pooler reads of each text, float32 [examples, hidden].

    Of a text that is cut into windows, it is the mean of theirs.

    Returns:
        None if the head reads more than one vector.
    """
    if not isinstance(experiment.model.head, features.VectorHead):
        return None
    rows = examples.by_row()
    by_row = np.zeros((len(rows), experiment.model.encoder.hidden), np.float32)
    with bars.bar(messages.progress_stream(), total=len(rows), unit=" texts", leave=False) as bar:
        for positions, values in features.vectors(experiment, rows, bar):
            by_row[positions] = values
    if examples.windows is None:
        return by_row
    counts = examples.windows.counts[examples.rows]
    return np.add.reduceat(by_row, np.cumsum(counts) - counts) / counts[:, None]


def blank(target: tf.TensorSpec) -> Any:
    """Return a placeholder for the answer to a text without one."""
    if target.dtype == tf.string:
        return b""
    shape: Any = target.shape.as_list()
    return np.zeros(shape, target.dtype.as_numpy_dtype)


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
