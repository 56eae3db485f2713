"""Build the exporters that a run asks for."""

import inspect
import math
import pathlib
from typing import Protocol

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.experiment import build, checks, encoder_source
from ftkeras.experiment.definition import Experiment
from ftkeras.runs import exported, layout
from ftkeras.runs.model_card import ModelCard
from ftkeras.runs.naming import run_name
from ftkeras.support import files
from ftkeras.training import weights


class Exporter(Protocol):
    """Writes a trained model in one format.

    Attributes:
        message: after writing, a line about the result, or None.
    """

    message: str | None

    def write(self) -> pathlib.Path:
        """Write the export and return where it is."""
        ...


def export_folder(config: Config) -> pathlib.Path:
    """Return the folder of the run's exported versions."""
    return pathlib.Path(config.export_dir) / run_name(config)


def build_exporters(experiment: Experiment, run_dir: pathlib.Path) -> list[Exporter]:
    """Build the exporters before training, so that they can refuse what they cannot export.

    Raises:
        UserError: if a folder cannot be written, or an exporter refuses the model.
    """
    config = experiment.config
    served_from = export_folder(config)
    files.require_writable(served_from, "export_dir")
    files.require_writable(run_dir, "run_dir")
    return [
        catalog.build(
            "export",
            spec,
            model=experiment.model,
            text_layer=experiment.text_layer,
            problem=experiment.problem,
            pairs=experiment.pairs,
            plain=not any(policy.stays for policy in experiment.policies),
            run_dir=run_dir,
            served_from=served_from,
            card=_card(experiment, run_dir),
            force=config.force,
        )
        for spec in config.exports
    ]


def of_finished_run(config: Config, run_dir: pathlib.Path) -> list[Exporter]:
    """Build the exporters of a finished run, whose model has the run's weights.

    Args:
        config: the run's, with the formats to export.
        run_dir: the run's folder.

    Raises:
        UserError: the run kept no weights or is not calibrated as asked for, or an exporter
            refuses the model.
    """
    experiment = build.experiment(config, run_dir=run_dir)
    checks.require_calibrated(config, experiment.problem, run_dir)
    exporters = build_exporters(experiment, run_dir)
    weights.load(experiment.model.saved_variables, run_dir / layout.WEIGHTS)
    return exporters


def check_versions(config: Config) -> None:
    """Refuse a problem, labels or inputs that differ from the newest version's, before training.

    The exporters check it as well. This is for a search, which builds them hours later.

    Raises:
        UserError: if the run would export a version that differs, or its data can't be read.
    """
    classes = [catalog.find("export", catalog.parse("export", e).name) for e in config.exports]
    writes_versions = any("served_from" in inspect.signature(cls).parameters for cls in classes)
    if writes_versions and not config.force:
        task = catalog.build("task", config.task, data_dir=config.data_dir)
        exported.require_same_interface(
            export_folder(config), task.labels, kind=task.problem_class.kind, pairs=task.pairs
        )


def _card(experiment: Experiment, run_dir: pathlib.Path) -> ModelCard:
    config, task, encoder = experiment.config, experiment.task, experiment.model.encoder
    about = inspect.getdoc(type(task)) or ""
    return ModelCard(
        config=config,
        run_dir=run_dir,
        about=about.split("\n\n")[0].replace("\n", " "),
        problem=experiment.problem,
        pairs=experiment.pairs,
        homepage=task.homepage,
        citation=task.citation,
        data_license=task.license,
        language=task.language,
        dataset=task.hub_dataset,
        checkpoint=encoder_source.checkpoint(config.encoder),
        layers=encoder.layers,
        hidden=encoder.hidden,
        heads=encoder.heads,
        parameters=sum(math.prod(variable.shape) for variable in experiment.model.saved_variables),
    )
