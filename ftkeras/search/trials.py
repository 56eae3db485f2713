"""Run a trial: one or more runs of `train`, each in a process and a folder of its own."""

import dataclasses
import fcntl
import math
import pathlib
import shutil
from collections.abc import Mapping
from typing import Any

from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig
from ftkeras.processes import child_run
from ftkeras.runs import folder as run_folder
from ftkeras.runs import layout
from ftkeras.runs import metrics as run_metrics
from ftkeras.search import pruning, results
from ftkeras.search.results import COMPLETED, FAILED, PRUNED, Result
from ftkeras.search.space import Space

# KerasTuner's prefix and names for what Hyperband adds to the values of the space.
TUNER = "tuner/"
EPOCHS, CONTINUES = "tuner/epochs", "tuner/trial_id"


class RunFailed(Exception):  # noqa: N818  an outcome of a trial rather than an error
    """A run of the trial has failed; the message says why in one line."""


def base(config: TuneConfig, *, continues: bool = False) -> Config:
    """Return the configuration that all trials share.

    A trial does not evaluate on test and exports nothing.

    Args:
        config: the search's.
        continues: whether another trial may continue from a trial's checkpoint, which is then kept.
    """
    common = {field.name: getattr(config, field.name) for field in dataclasses.fields(Config)}
    own = {"run_dir": None, "restart": False, "test": False, "export": ("none",)}
    return Config(**{**common, **own, "keep_state": continues})


class Trials:
    """Runs trials of a search.

    Args:
        config: the search's.
        space: gives the configuration of each trial.
        folder: where the trials' folders are.
    """

    def __init__(self, config: TuneConfig, space: Space, folder: pathlib.Path):
        self.config, self.space, self.folder = config, space, folder

    def run(self, trial: str, values: Mapping[str, Any]) -> Result:
        """Run the part of a trial that has not run yet, and write its result.

        Args:
            trial: its id.
            values: of the parameters, and what the oracle adds to them.
        """
        home = self.folder / trial
        if (finished := results.read(home)) is not None:
            return finished
        own = {name: value for name, value in values.items() if not name.startswith(TUNER)}
        config = self._config(values)
        result = Result(
            trial,
            values=own,
            settings=self.space.settings(own),
            status=COMPLETED,
            last_epoch=config.last_epoch,
            continues=values.get(CONTINUES),
        )
        result = self._with_scores(result, config, home)
        results.write(result, home)
        return result

    def _config(self, values: Mapping[str, Any]) -> Config:
        config = self.space.config(values)
        last = values.get(EPOCHS)
        if last is None or last >= config.trained_epochs:
            return config
        return dataclasses.replace(config, last_epoch=last)

    def _with_scores(self, result: Result, config: Config, home: pathlib.Path) -> Result:
        """Run all folds and seeds, unless one fails or the first folds are hopeless."""
        folds = [None] if self.config.folds is None else range(self.config.folds)
        for fold in folds:
            try:
                runs = [
                    self._run(dataclasses.replace(config, fold=fold, seed=seed), home, result)
                    for seed in range(config.seed, config.seed + self.config.executions_per_trial)
                ]
            except RunFailed as failure:
                return dataclasses.replace(result, status=FAILED, reason=str(failure))
            result = _with_runs(result, runs, config.objective, one_score=fold is not None)
            count = self.config.folds
            if count and (reason := self._reason_to_prune(result, count)):
                return dataclasses.replace(result, status=PRUNED, reason=reason)
        return result

    def _run(self, config: Config, home: pathlib.Path, result: Result) -> dict:
        """Return a run's metrics; run it unless it has finished before."""
        fold = "" if config.fold is None else f"fold-{config.fold}-"
        run_dir = home / f"{fold}seed-{config.seed}"
        if result.continues and not run_dir.exists():
            _copy(home.parent / result.continues / run_dir.name, run_dir)
        if run_folder.is_finished(config, run_dir):
            metrics = run_metrics.read_metrics(run_dir)
        else:
            _wait_until_free(run_dir)
            outcome = child_run.train(config, run_dir)
            if outcome.reason is not None:
                raise RunFailed(outcome.reason)
            assert outcome.metrics is not None, "a run without a reason has metrics"
            metrics = outcome.metrics
        for name in dict.fromkeys((config.objective, "loss")):
            value = metrics["validation"][name]
            if value is None or not math.isfinite(value):
                raise RunFailed(f"validation {name} is {value}")
        return metrics

    def _reason_to_prune(self, result: Result, folds: int) -> str | None:
        ended = filter(None, map(results.read, sorted(self.folder.glob("*"))))
        return pruning.reason_to_prune(result, ended, self.config.objective, folds=folds)


def _with_runs(result: Result, runs: list[dict], objective: str, *, one_score: bool) -> Result:
    """Add the metrics of runs to a result, as their mean if `one_score`."""

    def values(name: str) -> list[float]:
        scores = [run["validation"][name] for run in runs]
        return [sum(scores) / len(scores)] if one_score else scores

    return dataclasses.replace(
        result,
        scores=(*result.scores, *values(objective)),
        losses=(*result.losses, *values("loss")),
        seconds=result.seconds + sum(run["train"]["seconds"] for run in runs),
        best_epochs=(*result.best_epochs, *(run["train"]["best_epoch"] for run in runs)),
    )


def _copy(source: pathlib.Path, run_dir: pathlib.Path) -> None:
    """Copy a run's folder atomically, to resume it; without one the run starts from scratch."""
    if not source.exists():
        return
    draft = run_dir.with_name(f".{run_dir.name}.partial")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(source, draft, ignore=shutil.ignore_patterns(layout.LOCK))
    draft.rename(run_dir)


def _wait_until_free(run_dir: pathlib.Path) -> None:
    """Wait until no process uses the folder: a killed worker's child may live for a moment."""
    run_dir.mkdir(parents=True, exist_ok=True)
    with (run_dir / layout.LOCK).open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
