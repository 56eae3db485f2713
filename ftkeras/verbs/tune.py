"""Search for good hyperparameters: many trials of train, the best of them as a flagfile."""

import importlib.util
import logging
import pathlib
from dataclasses import dataclass

import tensorflow as tf

from ftkeras.config import flagfile
from ftkeras.config.tune import TuneConfig
from ftkeras.errors import UserError
from ftkeras.experiment import posed_task
from ftkeras.experiment.exports import check_versions
from ftkeras.reports import exports, metrics
from ftkeras.runs import folder as run_folder
from ftkeras.runs import layout, problem
from ftkeras.search.results import Result
from ftkeras.search.space import Space
from ftkeras.support import files, signals

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Search:
    """A finished search: its folder, its trials, the best one, and what retraining it gave."""

    folder: pathlib.Path
    trials: tuple[Result, ...]
    best: Result | None
    retrained: dict | None = None


def run(config: TuneConfig) -> Search | None:
    """Start or resume a search; as a worker, run trials for the chief and return None.

    Raises:
        UserError: if a setting is wrong, all of the first trials fail, or a package is missing.
        Stopped: if a signal stopped it; its state has been saved.
    """
    if None in map(importlib.util.find_spec, ("keras_tuner", "matplotlib")):
        raise UserError("tune needs: pip install 'ftkeras[tune]'")
    from ftkeras.search import folder, session, setup, workers

    _leave_gpus_to_trials()
    home, name = folder.choose(config), workers.name()
    config = setup.settle_epochs(setup.with_defaults(posed_task.resolve(config)))
    space = setup.build_space(config)
    with signals.stoppable(f"To resume, repeat the command with search_dir={home}."):
        if name not in (workers.ALONE, workers.CHIEF):
            session.work(config, space, home, name, workers.Chief())
            return None
        with folder.lock(home, restart=config.restart):
            folder.require_same_search(config, home)
            return _search(config, space, home, name)


def _leave_gpus_to_trials() -> None:
    """Use no GPU in this process, which would take the memory of those that the trials use."""
    try:
        tf.config.set_visible_devices([], "GPU")
    except RuntimeError:  # called from Python, after TensorFlow has started
        log.warning(
            "TensorFlow has started in this process and may hold the memory of the GPUs that the "
            "trials need; better search in a process of its own"
        )


def _search(config: TuneConfig, space: Space, home: pathlib.Path, name: str) -> Search:
    from ftkeras.reports import search as report
    from ftkeras.search import session, setup, table

    if config.retrain:
        check_versions(config)
    ledger, best = setup.build_ledger(config, space, home), None
    files.write_text(home / layout.SEARCH_SETTINGS, flagfile.render(config))
    log.info("%s", report.plan(config, ledger))  # the ranges are no flags
    try:
        session.run_trials(config, space, ledger, name)
    finally:  # also if the search was stopped
        if ended := tuple(ledger.results.values()):
            best = session.write_results(config, space, ledger)
            log.info("\n%s\n", table.text(ended, config.objective))
            log.info(report.written(home, has_best=best is not None))
    if ledger.failure:
        raise UserError(
            f"all of the first {len(ended)} trials failed, the last one with: {ledger.failure} "
            f"(see the logs in {home / layout.TRIALS}). Fix this, then start again with `restart`."
        )
    if not config.retrain or best is None:
        return Search(home, ended, best)
    used, run_dir = session.as_trained(config, best, home), home / layout.RETRAINED
    recipe = session.retrain_config(used, best)
    log.info(f"\n{report.retraining(recipe, run_dir)}")
    retrained = session.retrain(recipe, run_dir)
    _show_retrained(retrained, run_dir)
    return Search(home, ended, best, retrained)


def _show_retrained(found: dict, run_dir: pathlib.Path) -> None:
    log.info("\n%s", metrics.table(found, problem.of_run(run_dir)))
    for path in run_folder.read_exports(run_dir):
        log.info(exports.line(path))
