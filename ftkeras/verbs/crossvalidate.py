"""Cross-validate: train once per fold, and evaluate each run on the fold it did not see."""

import contextlib
import logging
import math
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass

from ftkeras.config import flagfile
from ftkeras.config.measuring import CrossvalidateConfig
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment import checks, posed_task, run_length
from ftkeras.processes import fold_runs
from ftkeras.reports import crossvalidation as report
from ftkeras.runs import crossvalidation, folder, layout
from ftkeras.support import files, signals

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CrossValidation:
    """A finished cross-validation: its folder, and what crossvalidation.json has."""

    folder: pathlib.Path
    result: dict


def run(config: CrossvalidateConfig) -> CrossValidation:
    """Train the folds that are not finished; write predictions, metrics and their intervals.

    Raises:
        UserError: if a setting is wrong, a fold fails, or the folder holds other folds.
        Stopped: if a signal stopped it; the states of the folds have been saved.
    """
    config = posed_task.resolve(config)
    home = folder.choose(config)
    config = _settle_epochs(config, home)
    folds = crossvalidation.fold_configs(config, repeats=config.repeats)
    if config.restart:
        crossvalidation.clear(home)
    fold_runs.check_resumable(folds, home)
    files.write_text(home / layout.CROSSVALIDATION_SETTINGS, flagfile.render(config))
    with signals.stoppable(
        f"To resume, repeat the command with run_dir={home}; finished folds are not run again."
    ):
        metrics = _train_folds(config, folds, home)
    problem = checks.problem_class(config)
    result = crossvalidation.summary(folds, metrics, problem.measures)
    predictions = home / layout.OUT_OF_FOLD_PREDICTIONS
    files.write_text(predictions, crossvalidation.out_of_fold_predictions(folds, home))
    files.write_json(home / layout.CROSSVALIDATION_RESULT, result)
    log.info(
        f"\n{report.table(result, problem)}\n\nfolds        {home}\npredictions  {predictions}"
    )
    return CrossValidation(home, result)


def _settle_epochs(config: CrossvalidateConfig, home: pathlib.Path) -> CrossvalidateConfig:
    """Check the settings, and return them with the epochs that all folds train for.

    The folds differ a little in size. If the batches are limited by tokens, each chooses its own.
    """
    first = crossvalidation.fold_configs(config)[0]
    checks.check(first)
    config = folder.adopt(config, crossvalidation.fold_folder(home, first))
    counted = config.batch_tokens is None
    return run_length.settle_epochs(config) if counted else config


def _train_folds(
    config: CrossvalidateConfig, folds: Sequence[Config], home: pathlib.Path
) -> list[dict]:
    """Return the metrics of each fold, in the order of the folds; stop at the first failure."""
    done, seconds, metric = {}, [], checks.problem_class(config).metric
    log.info(f"{len(folds)} runs, {config.parallel} at a time, each with a {layout.LOG}, in {home}")
    training = fold_runs.train_folds(
        folds, home, parallel=config.parallel, keep_weights=config.keep_weights
    )
    with contextlib.closing(training):
        for fold, outcome in training:
            run_dir = crossvalidation.fold_folder(home, fold)
            if outcome.metrics is None:
                raise UserError(f"{run_dir} failed: {outcome.reason} (see {run_dir / layout.LOG})")
            done[fold] = outcome.metrics
            seconds += [outcome.seconds] if outcome.seconds else []
            rounds = math.ceil((len(folds) - len(done)) / config.parallel)
            left = rounds * sum(seconds) / max(1, len(seconds))
            log.info(report.fold(run_dir.relative_to(home), outcome, metric, seconds_left=left))
    return [done[fold] for fold in folds]
