"""Evaluate a finished run again."""

import logging

from ftkeras.config.run import Config
from ftkeras.data.splits import open_splits
from ftkeras.errors import UserError
from ftkeras.experiment import build, evaluation, optimization, run_folder
from ftkeras.reports import metrics as metrics_report
from ftkeras.runs import layout, metrics
from ftkeras.support import files
from ftkeras.training import weights

log = logging.getLogger(__name__)


def run(config: Config) -> dict:
    """Evaluate on validation and test, and write metrics and predictions into the run's folder.

    Args:
        config: the run's, with its folder; data settings may differ from the run's.

    Returns:
        What metrics.json has.

    Raises:
        UserError: if the folder is not that of a finished run, or the data has other labels.
    """
    if config.run_dir is None:
        raise UserError("evaluate needs `run_dir`, the folder of a finished run.")
    run_dir = files.require_writable(config.run_dir, "run_dir")
    experiment = build.experiment(config, run_dir=run_dir)
    if experiment.task.labels != experiment.labels:
        raise UserError(
            f"task={config.task}: its labels are now {experiment.task.labels}, but the run in "
            f"{run_dir} was trained with {experiment.labels}."
        )
    weights.load(experiment.model.saved_variables, run_dir / layout.WEIGHTS)
    optimization.compile_to_evaluate(experiment)
    with open_splits(config, experiment.task, experiment.text_layer) as splits:
        found, counts = evaluation.evaluate(experiment, splits, run_dir), splits.counts()
    trained = metrics.read_metrics(run_dir).get("train", {})
    found |= {"train": trained, "data": counts, "versions": metrics.versions()}
    run_folder.write_metrics(experiment, run_dir, found)
    if experiment.devices.is_chief:
        log.info("\n%s", metrics_report.table(found, experiment.labels))
    return found
