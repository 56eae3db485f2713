"""Exports a finished run: each exporter asked for writes the model that was evaluated."""

import functools
import logging
import pathlib

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.experiment import build, encoder_source
from ftkeras.experiment.definition import Experiment
from ftkeras.runs import layout, model_card
from ftkeras.support import files
from ftkeras.training import weights

log = logging.getLogger(__name__)


def run(config: Config) -> None:
    """`export`: the exports of a finished run, again."""
    run_dir = pathlib.Path(config.run_dir)
    experiment = build.experiment(config, run_dir=run_dir)
    writers = exporters(experiment, run_dir)
    weights.load(experiment.model.kept, run_dir / layout.WEIGHTS)
    write(writers)


def exporters(experiment: Experiment, run_dir: pathlib.Path) -> list:
    """The exporters asked for. Made before training, they refuse what they can't export."""
    config, task = experiment.config, experiment.task
    name = catalog.parse("task", config.task).name
    served_from = pathlib.Path(config.export_dir) / name
    files.require_writable(served_from, "export_dir")
    files.require_writable(run_dir, "run_dir")
    facts = model_card.Facts(
        config,
        task,
        experiment.labels,
        experiment.model,
        checkpoint=encoder_source.checkpoint(config.encoder),
    )
    return [
        catalog.build(
            "export",
            spec,
            model=experiment.model,
            text_layer=experiment.text_layer,
            labels=experiment.labels,
            pairs=task.pairs,
            plain=not any(policy.stays for policy in experiment.policies),
            run_dir=run_dir,
            served_from=served_from,
            card=functools.partial(model_card.text, facts, run_dir),
        )
        for spec in config.exports
    ]


def write(writers: list) -> list[pathlib.Path]:
    """Has each exporter write, and says where."""
    written = []
    for exporter in writers:
        written.append(exporter.write())
        log.info(f"export  {written[-1]}")
        if told := getattr(exporter, "told", None):
            log.info(f"        {told}")
    return written
