"""The texts of a run, read from its splits."""

import contextlib
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ftkeras import catalog
from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.data.examples import Examples
from ftkeras.data.groupings.near_duplicates import nearest_in
from ftkeras.data.splits import Splits, open_splits
from ftkeras.errors import UserError
from ftkeras.experiment import build, other_data
from ftkeras.experiment.definition import Experiment
from ftkeras.experiment.other_data import Plan
from ftkeras.pages.run_view import NoTexts, Texts
from ftkeras.runs import layout

NOT_WANTED = "the page was written with texts=false"


class SplitTexts:
    """Reads the texts of open splits; fulfils `run_view.Texts`.

    Args:
        splits: of the run, or of the data on which it was evaluated.
        trained_on: the texts of the run's own data, if the splits are of other data, all of which
            is test; None if the splits are the run's.
    """

    def __init__(self, splits: Splits, *, trained_on: Texts | None = None):
        self._splits, self._trained_on = splits, trained_on

    def read(self, split: str, most: int | None = None) -> tuple[list[dict[str, str]], Any]:
        """Return texts and targets; see `run_view.Texts`."""
        if self._trained_on is not None and split == "train":
            return self._trained_on.read(split, most)
        examples = self._examples(split)
        positions = np.arange(len(examples))
        if most is not None and most < len(examples):
            positions = np.linspace(0, len(examples) - 1, most).round().astype(int)
        texts = [
            {name: text.decode("utf-8", "replace") for name, text in raw.items()}
            for raw in self._splits.raw_texts(examples, positions)
        ]
        return texts, examples.targets[positions]

    def column(self, split: str, name: str) -> list[str]:
        """Return the values of a column of the data; see `run_view.Texts`."""
        try:
            return self._splits.column(self._examples(split), name)
        except UserError as error:
            reason = str(error).replace("; use near_duplicates or none", "")
            raise UserError(reason.replace("`group_by`", "`slices`")) from None

    def near_duplicates(self, split: str, most: int) -> tuple[int, list[tuple[str, int, float]]]:
        """Return examples that nearly repeat one of train; see `run_view.Texts`.

        Raises:
            UserError: if these are not the data that the run was trained on.
        """
        if self._trained_on is not None:
            raise UserError("they are only looked for in the run's own data")
        train = self._splits.train
        positions, sources, shares = nearest_in(train, self._examples(split))
        order = np.unique(sources[:most])
        raw = self._splits.raw_texts(train, order)
        texts = {
            int(n): " | ".join(t.decode("utf-8", "replace") for t in one.values())
            for n, one in zip(order, raw, strict=True)
        }
        pairs = zip(
            positions[:most].tolist(), sources[:most].tolist(), shares.tolist(), strict=False
        )
        return len(positions), [(texts[source], at, share) for at, source, share in pairs]

    def _examples(self, split: str) -> Examples:
        if self._trained_on is not None and split == "test":
            return self._splits.other_test
        examples = getattr(self._splits, split)
        assert examples is not None, f"the run has no {split} split"
        return examples


@contextlib.contextmanager
def of_run(plan: Plan, run_dir: pathlib.Path, *, wanted: bool) -> Iterator[Texts]:
    """Yield the texts of the run's own data, if they are wanted and still there."""
    if not wanted:
        yield NoTexts(NOT_WANTED)
        return

    def opened() -> contextlib.AbstractContextManager[Splits]:
        experiment = build.experiment(plan.config, run_dir=run_dir)
        return open_splits(plan.config, experiment.task, experiment.text_layer)

    with _if_there(opened) as texts:
        yield texts


@contextlib.contextmanager
def of_other_data(plan: Plan, run_dir: pathlib.Path, *, wanted: bool) -> Iterator[Texts]:
    """Evaluate the run on other data, and yield the texts of these data if they are wanted."""
    with other_data.reopen(plan, run_dir) as (experiment, splits):
        other_data.evaluate(experiment, splits, run_dir, plan)
        if not wanted:
            yield NoTexts(NOT_WANTED)
        elif plan.has_own_task:
            yield SplitTexts(splits)
        else:
            with _if_there(lambda: _open_own(experiment, run_dir)) as trained_on:
                yield SplitTexts(splits, trained_on=trained_on)


def _open_own(
    experiment: Experiment, run_dir: pathlib.Path
) -> contextlib.AbstractContextManager[Splits]:
    """Open the run's own splits, which are read when they are first used."""
    config = flagfile.read(run_dir / layout.SETTINGS, Config)
    labels = experiment.problem.names
    task = catalog.build("task", config.task, data_dir=config.data_dir, known_labels=labels)
    return open_splits(config, task, experiment.text_layer)


@contextlib.contextmanager
def _if_there(
    opened: Callable[[], contextlib.AbstractContextManager[Splits]],
) -> Iterator[Texts]:
    """Yield the texts of splits, or the reason why they can't be read."""
    with contextlib.ExitStack() as stack:
        try:
            texts: Texts = SplitTexts(stack.enter_context(opened()))
        except UserError as error:
            texts = NoTexts(str(error))
        yield texts
