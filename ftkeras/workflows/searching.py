"""Search for good hyperparameters, from the first trial to the retrained best one."""

import importlib.util
import logging
import pathlib
from dataclasses import dataclass

import tensorflow as tf

from ftkeras.config import flagfile
from ftkeras.config.tune import TuneConfig
from ftkeras.errors import UserError
from ftkeras.experiment import inferred_task
from ftkeras.experiment.exports import check_versions
from ftkeras.reports import exports, metrics
from ftkeras.runs import folder as run_folder
from ftkeras.runs import layout, problem
from ftkeras.runs.replaced import Place
from ftkeras.search.results import Result
from ftkeras.search.space import Space
from ftkeras.support import files

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Search:
    """A finished search: its folder, its trials, the best one, and what retraining it gave."""

    folder: pathlib.Path
    trials: tuple[Result, ...]
    best: Result | None
    retrained: dict | None = None


def require_pretrained(config: TuneConfig, worker: str) -> None:
    """Raise UserError if a worker of several would have to pretrain."""
    if config.pretrain_epochs is not None:
        raise UserError(
            f"pretrain_epochs={config.pretrain_epochs}: with several workers, such as {worker}, "
            "use pretrain first, and name its folder by `encoder`."
        )


def plan(config: TuneConfig) -> tuple[TuneConfig, TuneConfig, Space]:
    """Return the configuration with the inferred task, then complete, and the space.

    Raises:
        UserError: if a setting is wrong, or a package is missing.
    """
    if None in map(importlib.util.find_spec, ("keras_tuner", "matplotlib", "jinja2")):
        raise UserError("tune needs: pip install 'ftkeras[tune]'")
    from ftkeras.search import setup

    _leave_gpus_to_trials()
    resolved = inferred_task.resolve(config)
    return resolved, *setup.plan(resolved)


def _leave_gpus_to_trials() -> None:
    """Use no GPU in this process, which would take the memory of those that the trials use."""
    try:
        tf.config.set_visible_devices([], "GPU")
    except RuntimeError:  # called from Python, after TensorFlow has started
        log.warning(
            "TensorFlow has started in this process and may hold GPU memory that the trials need; "
            "call tune in a separate process"
        )


def search(config: TuneConfig, space: Space, home: pathlib.Path, name: str, place: Place) -> Search:
    """Run the trials of a search, write its results, and retrain the best if that is asked for.

    Args:
        config: of the search.
        space: its ranges.
        home: its folder, locked by this process.
        name: of this worker.
        place: from `replaced.replacing`.

    Raises:
        UserError: if all trials or the first ones fail, or the exports need other versions.
        Stopped: if a signal stopped it; the results so far have been written.
    """
    from ftkeras.pages import search_page
    from ftkeras.reports import search as report
    from ftkeras.search import session, setup, table

    if config.retrain:
        check_versions(config)
    ledger, best = setup.build_ledger(config, space, home), None
    files.write_text(home / layout.SEARCH_SETTINGS, flagfile.render(config))
    log.info("%s", report.plan(config, ledger))  # the ranges are no flags
    try:
        session.run_trials(config, space, ledger, name)
        if ledger.exhausted and not ledger.oracle.ends:
            log.info(report.exhausted(ledger))
    finally:  # also if the search was stopped
        if ended := tuple(ledger.results.values()):
            best, recipe = session.write_results(config, ledger)
            search_page.write(home, config, space.parameters, ended, recipe, ledger.seconds)
            log.info("\n%s\n", table.text(ended, config.objective))
            log.info(report.written(place(home), has_best=best is not None))
    if ledger.failure:
        raise UserError(
            f"all trials so far failed ({len(ended)}; see the logs in "
            f"{place(home / layout.TRIALS)}). Fix the cause, then start again with `restart`. "
            f"The last one failed with: {ledger.failure}"
        )
    if not config.retrain or best is None:
        return Search(home, ended, best)
    used, run_dir = session.as_trained(config, best, home), home / layout.RETRAINED
    recipe = session.retrain_config(used, best)
    log.info(f"\n{report.retraining(recipe, run_dir)}")
    retrained = session.retrain(recipe, run_dir)
    _show_retrained(retrained, run_dir)
    return Search(home, ended, best, retrained)


def _show_retrained(measured: dict, run_dir: pathlib.Path) -> None:
    log.info("\n%s", metrics.table(measured, problem.of_run(run_dir)))
    for path in run_folder.read_exports(run_dir):
        log.info(exports.line(path))
