"""Searches for a recipe: trials of `train`, and at the end a table, a page and a flagfile."""

import dataclasses
import importlib.util
import json
import logging
import pathlib
import statistics
import sys

import tensorflow as tf

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig
from ftkeras.errors import UserError
from ftkeras.processes import child_run
from ftkeras.runs import folder, layout
from ftkeras.runs import metrics as report
from ftkeras.search import folder as folders
from ftkeras.search import results, table, trials
from ftkeras.search.results import Result
from ftkeras.search.space import Space
from ftkeras.support import files, times

log = logging.getLogger(__name__)


def run(config: TuneConfig) -> None:
    """`tune`: a whole search, or what is left of one that stopped; or a worker's part in one."""
    for package in ("keras_tuner", "matplotlib"):
        if importlib.util.find_spec(package) is None:
            raise UserError("tune needs: pip install 'ftkeras[tune]'")
    from ftkeras.search import setup, workers

    # TensorFlow would take all of a GPU's memory, and the trials want it.
    tf.config.set_visible_devices([], "GPU")
    home, name = folders.choose(config), workers.name()
    config = setup.with_defaults(config)
    space = setup.build_space(config)
    with child_run.stoppable(f"The same command with --search_dir={home} goes on."):
        if name in (workers.ALONE, workers.CHIEF):
            with folders.lock(home, restart=config.restart):
                folders.require_same_search(config, home)
                _search(config, space, home, name)
        else:
            with folders.lock_worker(home, name):
                trial = trials.Trials(config, space, home / layout.TRIALS)
                workers.work(workers.Chief(), trial.run, name)


def _search(config: TuneConfig, space: Space, home: pathlib.Path, name: str) -> None:
    """The search, from where its folder says it was, to its end."""
    from ftkeras.search import setup

    ledger, best = setup.build_ledger(config, space, home), None
    files.write_text(home / layout.SEARCH_SETTINGS, flagfile.render(config))
    _announce(config, ledger, home)
    try:
        _run_trials(config, space, ledger, name)
    finally:  # of a search that was stopped on its way, too
        if ledger.results:
            best = _conclude(config, space, ledger, home)
    if ledger.failure:
        raise UserError(
            f"all of the first {len(ledger.results)} trials failed, the last with: "
            f"{ledger.failure} ({home / layout.TRIALS} has their logs); mend that, and begin anew "
            "with `restart`."
        )
    if config.retrain and best is not None:
        _retrain(config, best, home)


def _run_trials(config: TuneConfig, space: Space, ledger, name: str) -> None:
    """All trials: run by this process alone, or as the chief by its workers."""
    from ftkeras.search import workers
    from ftkeras.search.live import Live

    live, home = Live(ledger, config.objective), ledger.folder

    def changed() -> None:
        live.show_changes()
        if ledger.exhausted or not ledger.oracle.continues:
            results.delete_other_weights(
                home / layout.TRIALS, ledger.results.values(), config.objective
            )

    ledger.on_change = changed
    with live.updating():
        if name == workers.CHIEF:
            workers.serve(ledger)
        else:
            trial = trials.Trials(config, space, home / layout.TRIALS)
            with folders.lock_worker(home, name):
                workers.work(ledger, trial.run, name)
    changed()  # the oracle may have come to its end meanwhile


def _announce(config: TuneConfig, ledger, home: pathlib.Path) -> None:
    until = "until it ends" if config.max_trials is None else f"{config.max_trials} trials"
    if config.max_hours is not None:
        until += f", none begun after {config.max_hours:g} hours"
    runs = (config.folds or 1) * config.executions_per_trial
    each = f", {runs} runs each" if runs > 1 else ""
    log.info(f"search  {home}")
    log.info(f"{config.oracle}: {until}{each}; validation {config.objective} decides between")
    for line in config.search:
        log.info(f"  {line}")
    if ledger.started:
        log.info(
            f"going on: {len(ledger.results)} of {ledger.started} trials have ended, "
            f"{times.duration(ledger.seconds)} so far"
        )
    sys.stdout.flush()


def _conclude(config: TuneConfig, space: Space, ledger, home: pathlib.Path) -> Result | None:
    """Shows and writes what is known; returns the best trial."""
    from ftkeras.search import page

    ended, recipe = list(ledger.results.values()), ""
    best = results.best(ended, config.objective)
    log.info("\n%s\n", table.text(ended, config.objective))
    files.write_json(home / layout.TABLE, table.as_json(config, ended, ledger.seconds))
    if best is not None:
        recipe = table.recipe(_recipe(config, best), best, config.objective)
        files.write_text(home / layout.BEST_RECIPE, recipe)
    page.write(home / layout.PAGE, config, space.parameters, ended, recipe, ledger.seconds)
    log.info(f"table   {home / layout.TABLE}\npage    {home / layout.PAGE}")
    if best is not None:
        log.info(f"best    {home / layout.BEST_RECIPE}")
        log.info(f"        python -m ftkeras.main --flagfile={home / layout.BEST_RECIPE}")
    return best


def _recipe(config: TuneConfig, best: Result) -> Config:
    """The run of the best trial, with test and exports as the command line has them."""
    given = {field.name: getattr(config, field.name) for field in dataclasses.fields(Config)}
    alone = {"restart": False, "folds": None, "group_by": None, "last_epoch": best.last_epoch}
    return Config(**{**given, **alone, **best.settings})


def _retrain(config: TuneConfig, best: Result, home: pathlib.Path) -> None:
    """Trains the best on train and validation, as long as it was best; test says how good it is."""
    epoch = round(statistics.fmean(best.best_epochs))
    all_data = {"folds": config.folds, "group_by": config.group_by, "train_on_validation": True}
    all_data["keep_state"] = bool(config.keep_state)
    recipe = dataclasses.replace(
        _recipe(config, best), **all_data, early_stopping=None, last_epoch=epoch
    )
    run_dir = home / layout.RETRAINED
    try:
        folder.check_resumable(recipe, run_dir)
    except UserError:  # a shorter search had another best
        recipe = dataclasses.replace(recipe, restart=True)
    log.info(f"\nthe best, {epoch} of {recipe.epochs} epochs on train and validation: {run_dir}")
    sys.stdout.flush()
    outcome = child_run.train(recipe, run_dir)
    if outcome.reason is not None:
        raise UserError(f"`retrain`: {outcome.reason} ({run_dir / layout.LOG} has all)")
    _show_retrained(outcome.metrics, run_dir)


def _show_retrained(metrics: dict, run_dir: pathlib.Path) -> None:
    labels = tuple(json.loads((run_dir / layout.LABELS).read_text(encoding="utf-8")))
    report.show_metrics(metrics, labels)
    for path in folder.read_exports(run_dir):
        log.info(f"export  {path}")
