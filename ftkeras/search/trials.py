"""A trial: runs of `train`, each in a process and a folder of its own, and what comes of them."""

import dataclasses
import fcntl
import math
import pathlib
import shutil
from collections.abc import Mapping

from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig
from ftkeras.processes import child_run
from ftkeras.runs import folder as run_folder
from ftkeras.runs import layout
from ftkeras.runs import metrics as report
from ftkeras.search import pruning, results
from ftkeras.search.results import COMPLETED, FAILED, PRUNED, Result
from ftkeras.search.space import Space

# What Hyperband says beside the values of the space.
EPOCHS, CONTINUES = "tuner/epochs", "tuner/trial_id"


class Failed(Exception):  # noqa: N818  what becomes of the trial, and no error of ours
    """A run of the trial has failed; the message says why in one line."""


def base(config: TuneConfig, *, continues: bool = False) -> Config:
    """What all trials have in common: a search's own flags as a run has them, test left unread.

    Args:
        config: the search's.
        continues: whether a trial may be gone on with, so that its checkpoint must stay.
    """
    common = {field.name: getattr(config, field.name) for field in dataclasses.fields(Config)}
    ours = {"run_dir": None, "restart": False, "test": False, "export": ("none",)}
    return Config(**{**common, **ours, "keep_state": continues})


class Trials:
    """Runs trials of a search.

    Args:
        config: the search's.
        space: from which each gets its configuration.
        folder: where each trial's folder goes.
    """

    def __init__(self, config: TuneConfig, space: Space, folder: pathlib.Path):
        self.config, self.space, self.folder = config, space, folder

    def run(self, trial: str, values: Mapping[str, object]) -> Result:
        """Runs what of the trial is not done yet, and writes what came of it."""
        home = self.folder / trial
        if (there := results.read(home)) is not None:
            return there
        own = {name: value for name, value in values.items() if not name.startswith("tuner/")}
        config = self._config(values)
        result = Result(
            trial,
            values=own,
            settings=self.space.settings(own),
            status=COMPLETED,
            last_epoch=config.last_epoch,
            continues=values.get(CONTINUES),
        )
        result = self._measured(result, config, home)
        results.write(result, home)
        return result

    def _config(self, values: Mapping[str, object]) -> Config:
        config = self.space.config(values)
        last = values.get(EPOCHS, config.epochs)
        return dataclasses.replace(config, last_epoch=last) if last < config.epochs else config

    def _measured(self, result: Result, config: Config, home: pathlib.Path) -> Result:
        """The result with the scores of all folds, or of as many as were worth it."""
        folds = [None] if self.config.folds is None else range(self.config.folds)
        for fold in folds:
            try:
                of_fold = [
                    self._run(dataclasses.replace(config, fold=fold, seed=seed), home, result)
                    for seed in range(config.seed, config.seed + self.config.executions_per_trial)
                ]
            except Failed as failed:
                return dataclasses.replace(result, status=FAILED, reason=str(failed))
            result = _with_runs(result, of_fold, config.objective, one_score=fold is not None)
            if self.config.folds and (why := self._hopeless(result)):
                return dataclasses.replace(result, status=PRUNED, reason=why)
        return result

    def _run(self, config: Config, home: pathlib.Path, result: Result) -> dict:
        """What one run measured; one that is finished already does not run again."""
        fold = "" if config.fold is None else f"fold-{config.fold}-"
        run_dir = home / f"{fold}seed-{config.seed}"
        if result.continues and not run_dir.exists():
            _copy(home.parent / result.continues / run_dir.name, run_dir)
        if run_folder.is_finished(config, run_dir):
            metrics = report.read_metrics(run_dir)
        else:
            _wait_for(run_dir)
            outcome = child_run.train(config, run_dir)
            if outcome.reason is not None:
                raise Failed(outcome.reason)
            metrics = outcome.metrics
        score = metrics["validation"][config.objective]
        if not math.isfinite(score):
            raise Failed(f"validation {config.objective} is {score}")
        return metrics

    def _hopeless(self, result: Result) -> str | None:
        ended = filter(None, map(results.read, sorted(self.folder.glob("*"))))
        return pruning.hopeless(result, ended, self.config.objective, folds=self.config.folds)


def _with_runs(result: Result, runs: list[dict], objective: str, *, one_score: bool) -> Result:
    scores = [run["validation"][objective] for run in runs]
    return dataclasses.replace(
        result,
        scores=(*result.scores, *([sum(scores) / len(scores)] if one_score else scores)),
        seconds=result.seconds + sum(run["train"]["seconds"] for run in runs),
        best_epochs=(*result.best_epochs, *(run["train"]["best_epoch"] for run in runs)),
    )


def _copy(source: pathlib.Path, run_dir: pathlib.Path) -> None:
    """A run's folder to go on in; it appears whole. Without one the run begins at its beginning."""
    if not source.exists():
        return
    beside = run_dir.with_name(f".{run_dir.name}.partial")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(source, beside, ignore=shutil.ignore_patterns(layout.LOCK))
    beside.rename(run_dir)


def _wait_for(run_dir: pathlib.Path) -> None:
    """Waits until nobody holds the folder: the child of a killed worker may live for a moment."""
    run_dir.mkdir(parents=True, exist_ok=True)
    with (run_dir / layout.LOCK).open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
