"""Cross-validate: train once per fold, and evaluate each run on the fold it did not see."""

import logging
import pathlib
from dataclasses import dataclass

from ftkeras.config import flagfile
from ftkeras.config.measuring import CrossvalidateConfig
from ftkeras.experiment import checks, inferred_task
from ftkeras.pages import cross_validation_page, page
from ftkeras.processes import fold_runs
from ftkeras.reports import crossvalidation as report
from ftkeras.runs import crossvalidation, folder, layout, replaced
from ftkeras.support import files, signals
from ftkeras.workflows import fold_training, pretraining

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CrossValidation:
    """A finished cross-validation: its folder, and what crossvalidation.json has."""

    folder: pathlib.Path
    result: dict


def run(config: CrossvalidateConfig) -> CrossValidation:
    """Train the folds that are not finished; write predictions, metrics and their intervals.

    Raises:
        UserError: if a setting is wrong, a fold fails, or the folder holds other folds or is in
            use.
        Stopped: if a signal stopped it; the states of the folds have been saved.
    """
    config = inferred_task.resolve(config)
    home = folder.choose(config)
    checks.check(crossvalidation.fold_configs(config)[0])
    phases = () if config.pretrain_epochs is None else (layout.PRETRAINED,)
    contents = replaced.CROSSVALIDATION.after(*phases)
    with (
        folder.locked(home),
        replaced.replacing(home, contents, restart=config.restart) as place,
    ):
        return _run(config, home, place)


def _run(config: CrossvalidateConfig, home: pathlib.Path, place: replaced.Place) -> CrossValidation:
    if config.pretrain_epochs is not None:
        with signals.stoppable(f"To resume, repeat the command with run_dir={home}."):
            settings = layout.CROSSVALIDATION_SETTINGS
            config = pretraining.once(config, home, settings, place)
    config = fold_training.settle_epochs(config, home)
    folds = crossvalidation.fold_configs(config, repeats=config.repeats)
    fold_runs.check_resumable(folds, home)
    files.write_text(home / layout.CROSSVALIDATION_SETTINGS, flagfile.render(config))
    with signals.stoppable(
        f"To resume, repeat the command with run_dir={home}; finished folds are not run again."
    ):
        metrics = fold_training.train(config, folds, home, place)
    problem = checks.problem_class(config)
    result = crossvalidation.summary(folds, metrics, problem.measures)
    predictions = home / layout.OUT_OF_FOLD_PREDICTIONS
    files.write_text(predictions, crossvalidation.out_of_fold_predictions(folds, home))
    files.write_json(home / layout.CROSSVALIDATION_RESULT, result)
    log.info(
        f"\n{report.table(result, problem)}\n\nfolds        {home}\npredictions  {predictions}"
    )
    page.write_if_installed(
        lambda: cross_validation_page.write(home, config, result), "page         "
    )
    return CrossValidation(home, result)
