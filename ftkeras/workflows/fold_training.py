"""Train the folds of a cross-validation."""

import contextlib
import logging
import math
import pathlib
from collections.abc import Sequence

from ftkeras.config.measuring import CrossvalidateConfig
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment import checks, run_length
from ftkeras.processes import fold_runs
from ftkeras.reports import crossvalidation as report
from ftkeras.runs import crossvalidation, folder, layout
from ftkeras.runs.replaced import Place

log = logging.getLogger(__name__)


def settle_epochs(config: CrossvalidateConfig, home: pathlib.Path) -> CrossvalidateConfig:
    """Return the settings with the epochs that all folds train for.

    The folds differ a little in size. If the batches are limited by tokens, each chooses its own.
    """
    first = crossvalidation.fold_configs(config)[0]
    config = folder.adopt(config, crossvalidation.fold_folder(home, first))
    return config if config.batch_tokens is not None else run_length.settle_epochs(config)


def train(
    config: CrossvalidateConfig, folds: Sequence[Config], home: pathlib.Path, place: Place
) -> list[dict]:
    """Return the metrics of each fold, in the order of the folds; stop at the first failure.

    Args:
        config: of the cross-validation.
        folds: the configuration of each.
        home: its folder.
        place: from `replaced.replacing`.

    Raises:
        UserError: if a fold fails.
    """
    done, seconds, metric = {}, [], checks.problem_class(config).metric
    if config.keep_weights:
        _note_deleted(folds, home)
    log.info(f"{len(folds)} runs, {config.parallel} at a time, each with a {layout.LOG}, in {home}")
    training = fold_runs.train_folds(
        folds, home, parallel=config.parallel, keep_weights=config.keep_weights
    )
    with contextlib.closing(training):
        for fold, outcome in training:
            run_dir = crossvalidation.fold_folder(home, fold)
            if outcome.metrics is None:
                training.close()  # first, as it depends on the other folds where the log will be
                path = place(run_dir / layout.LOG)
                raise UserError(f"{run_dir} failed: {outcome.reason} (see {path})")
            done[fold] = outcome.metrics
            seconds += [outcome.seconds] if outcome.seconds else []
            rounds = math.ceil((len(folds) - len(done)) / config.parallel)
            left = rounds * sum(seconds) / max(1, len(seconds))
            log.info(report.fold(run_dir.relative_to(home), outcome, metric, seconds_left=left))
    return [done[fold] for fold in folds]


def _note_deleted(folds: Sequence[Config], home: pathlib.Path) -> None:
    """Report finished folds whose weights are gone, as they were trained without `keep_weights`."""
    run_dirs = {crossvalidation.fold_folder(home, fold): fold for fold in folds}
    deleted = [
        run_dir
        for run_dir, fold in run_dirs.items()
        if folder.is_finished(fold, run_dir) and not (run_dir / layout.WEIGHTS).exists()
    ]
    if deleted:
        log.info(
            f"note: `keep_weights` comes too late for {len(deleted):,} of {len(folds):,} folds, "
            "which have finished without their weights; `restart` trains them again"
        )
