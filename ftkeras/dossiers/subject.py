"""Read-only access to a run, its data and its model, for the parts of a dossier."""

import contextlib
import functools
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from ftkeras import catalog
from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.data.examples import Examples
from ftkeras.data.splits import Splits, open_splits
from ftkeras.data.task import Task
from ftkeras.dossiers.about import About
from ftkeras.errors import UserError
from ftkeras.experiment import build, encoder_source, optimization
from ftkeras.experiment.definition import Experiment
from ftkeras.pages import run_view
from ftkeras.pages.run_view import NoTexts, RunView, Texts
from ftkeras.pages.split_texts import SplitTexts
from ftkeras.runs import layout
from ftkeras.teachers.unlabelled import open_unlabelled
from ftkeras.training import weights

# What the parts of a dossier need to know beside the run, by the names of the configuration.
OPTIONS = ("texts", "prove", "groups", "vulnerabilities", "shadow_runs")
SPLITS = ("train", "validation", "test")
# What the files and texts without labels are called beside these.
UNLABELLED = "unlabelled"


@dataclass(frozen=True)
class Subject:
    """A finished run, with what people state about it.

    Attributes:
        view: the run.
        about: the statements.
        output: the folder of the dossier.
        opened: the model, without its weights, and the splits; None if the data can't be read.
        reason: why the data can't be read, without a full stop; "" if they can.
        unlabelled_reason: why the texts without labels can't be; "" if they can, or there are none.
        prove: whether to train the run again.
        groups: columns of the data whose values are groups to compare.
        vulnerabilities: a database of vulnerabilities in the OSV format; None for none.
        shadow_runs: further models to train for an attack on the model's memory.
    """

    view: RunView
    about: About
    output: pathlib.Path
    opened: tuple[Experiment, Splits] | None = None
    reason: str = ""
    unlabelled_reason: str = ""
    prove: bool = False
    groups: tuple[str, ...] = ()
    vulnerabilities: str | None = None
    shadow_runs: int = 0

    @property
    def folder(self) -> pathlib.Path:
        """The run's folder."""
        return self.view.folder

    @property
    def config(self) -> Config:
        """The run's configuration."""
        return self.view.config

    @functools.cached_property
    def task(self) -> Task | None:
        """The task; None if it can't be built, as when a file is missing."""
        try:
            recorded = self.view.problem.names
            return catalog.build(
                "task", self.config.task, data_dir=self.config.data_dir, known_labels=recorded
            )
        except UserError:
            return None

    @property
    def checkpoint(self) -> str | None:
        """The folder or Hub id of the pretrained encoder; None for random weights."""
        return encoder_source.checkpoint(self.config.encoder)

    @property
    def experiment(self) -> Experiment:
        """The model, without its weights.

        Raises:
            UserError: if the data can't be read.
        """
        return self._require_opened()[0]

    @functools.cached_property
    def examples(self) -> dict[str, Examples]:
        """The examples of each split that the run uses.

        Raises:
            UserError: if the data can't be read.
        """
        _, splits = self._require_opened()
        wanted = SPLITS if self.config.test else SPLITS[:2]
        by_split = {name: getattr(splits, name) for name in wanted}
        return {name: examples for name, examples in by_split.items() if examples is not None}

    @property
    def unlabelled(self) -> Examples | None:
        """The texts without labels; None if the run has none, or they can't be read.

        Raises:
            UserError: if the data can't be read.
        """
        return self.splits.unlabelled

    @functools.cached_property
    def trained(self) -> Experiment:
        """The model with the weights of the run, ready to evaluate.

        Raises:
            UserError: if the data can't be read, or the run kept no weights.
        """
        experiment = self.experiment
        weights.load(experiment.model.saved_variables, self.folder / layout.WEIGHTS)
        optimization.compile_to_evaluate(experiment)
        return experiment

    @property
    def splits(self) -> Splits:
        """The splits of the run.

        Raises:
            UserError: if the data can't be read.
        """
        return self._require_opened()[1]

    def raw_texts(self, examples: Examples) -> list[dict[str, str]]:
        """Return the texts of examples, each {"text"} or {"text", "pair"}.

        Raises:
            UserError: if the data can't be read.
        """
        _, splits = self._require_opened()
        rows = splits.raw_texts(examples, np.arange(len(examples)))
        return [{name: raw.decode("utf-8", "replace") for name, raw in one.items()} for one in rows]

    def texts(self, split: str, most: int | None = None) -> list[dict[str, str]]:
        """Return the texts of a split; see `run_view.Texts.read`.

        Raises:
            UserError: if the data can't be read.
        """
        return self.view.texts.read(split, most)[0]

    def _require_opened(self) -> tuple[Experiment, Splits]:
        if self.opened is None:
            raise UserError(self.reason)
        return self.opened


@contextlib.contextmanager
def opened(
    run_dir: pathlib.Path,
    about: About,
    output: pathlib.Path,
    *,
    texts: bool = True,
    prove: bool = False,
    groups: tuple[str, ...] = (),
    vulnerabilities: str | None = None,
    shadow_runs: int = 0,
) -> Iterator[Subject]:
    """Yield a run whose data are open, if they can be read.

    Args:
        run_dir: the run's folder.
        about: what people state about it.
        output: the folder of the dossier.
        texts: whether to read the data.
        prove: whether to train the run again.
        groups: columns of the data whose values are groups to compare.
        vulnerabilities: a database of vulnerabilities in the OSV format; None for none.
        shadow_runs: further models to train.

    Raises:
        UserError: if it is not the folder of a run.
    """
    if not (run_dir / layout.SETTINGS).is_file():
        raise UserError(
            f"run_dir={run_dir} is not the folder of a run: it has no {layout.SETTINGS}."
        )
    config = flagfile.read(run_dir / layout.SETTINGS, Config)
    data, reason, lacking = None, "the dossier was written with texts=false", ""
    with contextlib.ExitStack() as stack:
        if texts:
            try:
                experiment = build.experiment(config, run_dir=run_dir)
                more, lacking = _unlabelled(config, experiment.task)
                splits = open_splits(config, experiment.task, experiment.text_layer, more)
                data, reason = (experiment, stack.enter_context(splits)), ""
            except UserError as error:
                reason = str(error).rstrip(".")
        readable: Texts = NoTexts(reason) if data is None else SplitTexts(data[1])
        view = run_view.read(run_dir, readable)
        for name in groups:
            _require_column(view, name)
        asked = {"prove": prove, "vulnerabilities": vulnerabilities, "shadow_runs": shadow_runs}
        yield Subject(view, about, output, data, reason, lacking, groups=groups, **asked)


def _unlabelled(config: Config, task: Task) -> tuple[tf.data.Dataset | None, str]:
    """Return the texts without labels, if there are any, or why they can't be read.

    Most parts need only those with labels, so that one lost file does not empty the dossier.
    """
    try:
        return open_unlabelled(config, task), ""
    except UserError as error:
        return None, str(error).rstrip(".")


def _require_column(view: RunView, name: str) -> None:
    try:
        view.texts.column(view.split, name)
    except UserError as error:
        reason = str(error).replace("`slices`", "`groups`").rstrip(".")
        raise UserError(f"groups={name} can't be compared: {reason}.") from None
