"""Evaluate a finished run again."""

from ftkeras.config.run import Config
from ftkeras.data.splits import open_splits
from ftkeras.errors import UserError
from ftkeras.experiment import build, evaluation, optimization
from ftkeras.runs import layout
from ftkeras.runs import metrics as report
from ftkeras.support import files
from ftkeras.training import weights


def run(config: Config) -> None:
    """`evaluate`: measures a finished run again and writes the figures into its folder."""
    run_dir = files.require_writable(config.run_dir, "run_dir")
    experiment = build.experiment(config, run_dir=run_dir)
    if experiment.task.labels != experiment.labels:
        raise UserError(
            f"task={config.task}: its labels are now {experiment.task.labels}, but the run in "
            f"{run_dir} learnt {experiment.labels}."
        )
    weights.load(experiment.model.kept, run_dir / layout.WEIGHTS)
    optimization.compile_to_evaluate(experiment)
    with open_splits(config, experiment.task, experiment.text_layer) as splits:
        measured, counts = evaluation.evaluate(experiment, splits, run_dir), splits.counts()
    trained = report.read_metrics(run_dir).get("train", {})
    metrics = {**measured, "train": trained, "data": counts, "versions": report.versions()}
    if experiment.devices.is_chief:
        report.write_metrics(run_dir, metrics)
        report.show_metrics(measured, experiment.labels)
