"""One session of a search: run its trials, write its results, and train the best settings."""

import dataclasses
import pathlib
import statistics

from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig
from ftkeras.errors import UserError
from ftkeras.processes import child_run
from ftkeras.runs import folder as run_folder
from ftkeras.runs import layout
from ftkeras.search import folder, results, table, trials, workers
from ftkeras.search.ledger import Ledger
from ftkeras.search.live import Live
from ftkeras.search.results import Result
from ftkeras.search.space import Space
from ftkeras.support import files


def run_trials(config: TuneConfig, space: Space, ledger: Ledger, name: str) -> None:
    """Run all trials that are left, in this process or, as the chief, by workers.

    Args:
        config: the search's.
        space: its parameters.
        ledger: its trials.
        name: of this process, from `workers.name`.
    """
    live, home = Live(ledger, config.objective), ledger.folder

    def on_change() -> None:
        live.show_changes()
        if ledger.exhausted or not ledger.oracle.continues:
            ended = ledger.results.values()
            results.delete_other_weights(home / layout.TRIALS, ended, config.objective)

    ledger.on_change = on_change
    with live.updating():
        if name == workers.CHIEF:
            workers.serve(ledger)
        else:
            work(config, space, home, name, ledger)
    on_change()  # the oracle may have ended in the meantime


def work(
    config: TuneConfig, space: Space, home: pathlib.Path, name: str, source: workers.TrialSource
) -> None:
    """Run the trials that a source assigns to this worker."""
    runner = trials.Trials(config, space, home / layout.TRIALS)
    with folder.lock_worker(home, name):
        workers.work(source, runner.run, name)


def write_results(config: TuneConfig, ledger: Ledger) -> tuple[Result | None, str]:
    """Write search.json and best.cfg.

    Returns:
        The best trial and the content of best.cfg; None and "" if none completed.
    """
    home, ended, recipe = ledger.folder, list(ledger.results.values()), ""
    best = results.best(ended, config.objective)
    files.write_json(home / layout.TABLE, table.as_json(config, ended, ledger.seconds))
    if best is not None:
        used = as_trained(config, best, home)
        recipe = table.recipe(best_config(used, best), best, config.objective)
        files.write_text(home / layout.BEST_RECIPE, recipe)
    return best, recipe


def as_trained(config: TuneConfig, best: Result, home: pathlib.Path) -> TuneConfig:
    """Return the configuration with what the best trial has chosen in place of `auto`.

    Args:
        config: the search's.
        best: the trial.
        home: the search's folder.
    """
    runs = sorted((home / layout.TRIALS / best.trial).glob(f"*/{layout.SETTINGS}"))
    return run_folder.adopt(config, runs[0].parent) if runs else config


def best_config(config: TuneConfig, best: Result) -> Config:
    """Return the best trial's configuration, with the test and exports that the user asked for."""
    given = {field.name: getattr(config, field.name) for field in dataclasses.fields(Config)}
    alone = {"restart": False, "folds": None, "group_by": None, "last_epoch": best.last_epoch}
    return Config(**{**given, **alone, **best.settings})


def retrain_config(config: TuneConfig, best: Result) -> Config:
    """Return the configuration that trains the best settings on train and validation.

    Training ends at the mean of the best epochs of the trial's runs.
    """
    return dataclasses.replace(
        best_config(config, best),
        folds=config.folds,
        group_by=config.group_by,
        train_on_validation=True,
        keep_state=bool(config.keep_state),
        early_stopping=None,
        evaluate_every=None,
        last_epoch=round(statistics.fmean(best.best_epochs)),
    )


def retrain(config: Config, run_dir: pathlib.Path) -> dict:
    """Train the best settings in a process of their own; return the metrics.

    Args:
        config: from `retrain_config`.
        run_dir: the run's folder.

    Raises:
        UserError: if the run fails.
    """
    try:
        run_folder.check_resumable(config, run_dir)
    except UserError:  # an earlier session of the search found other settings
        config = dataclasses.replace(config, restart=True)
    outcome = child_run.train(config, run_dir)
    if outcome.metrics is None:
        raise UserError(f"`retrain`: {outcome.reason} (see {run_dir / layout.LOG})")
    return outcome.metrics
