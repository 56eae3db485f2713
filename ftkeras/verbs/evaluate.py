"""Evaluate a finished run again, or on other data."""

import logging
import pathlib
from dataclasses import dataclass

from ftkeras.config.run import Config
from ftkeras.data.splits import Splits
from ftkeras.errors import UserError
from ftkeras.experiment import checks, evaluation, other_data, run_folder
from ftkeras.experiment.definition import Experiment
from ftkeras.reports import data as data_report
from ftkeras.reports import metrics as metrics_report
from ftkeras.runs import layout, metrics
from ftkeras.support import files

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluation:
    """An evaluation: the run's folder, and what the evaluation's files are called after.

    `name` is None if the run was evaluated on its own data, so that its files are the run's.
    """

    run_dir: pathlib.Path
    name: str | None


def run(config: Config) -> Evaluation:
    """Evaluate on validation and test, and write metrics and predictions into the run's folder.

    With another task than the run's, only the examples of that task are read: its test data, or all
    there is. Whenever a setting of the data differs from the run's, the results go to
    `metrics-<name>.json` and `predictions-<name>.jsonl`, and those of the run stay.

    Args:
        config: the run's, with its folder; data settings may differ from the run's.

    Raises:
        UserError: if the folder is not that of a finished run, or the data has other labels.
    """
    if config.run_dir is None:
        raise UserError("evaluate needs `run_dir`, the folder of a finished run.")
    run_dir = files.require_writable(config.run_dir, "run_dir")
    plan = other_data.plan(config, run_dir)
    with other_data.reopen(plan, run_dir) as (experiment, splits):
        if plan.name is None:
            measured, path = _evaluate_again(experiment, splits, run_dir)
        else:
            checks.require_calibrated(config, experiment.problem, run_dir)
            measured, path = other_data.evaluate(experiment, splits, run_dir, plan)
            if "redacted" in measured:
                log.info("%s", data_report.redacted(measured["redacted"]))
    if experiment.devices.is_chief:
        log.info("\n%s", metrics_report.table(measured, experiment.problem))
        log.info("%s", f"\nmetrics {path}")
    return Evaluation(run_dir, plan.name)


def _evaluate_again(
    experiment: Experiment, splits: Splits, run_dir: pathlib.Path
) -> tuple[dict, pathlib.Path]:
    """Evaluate the run's own splits; keep what metrics.json has of training."""
    measured, counts = evaluation.evaluate(experiment, splits, run_dir), splits.counts()
    before = metrics.read_metrics(run_dir)
    kept = {"train": before.get("train", {}), "data": counts}
    kept |= {name: before[name] for name in ("read", "privacy") if name in before}
    measured |= {**kept, "versions": metrics.versions()}
    run_folder.write_metrics(experiment, run_dir, measured)
    return measured, run_dir / layout.METRICS
