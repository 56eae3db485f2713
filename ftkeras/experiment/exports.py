"""Build the exporters that a run asks for."""

import inspect
import math
import pathlib
from typing import Protocol

from ftkeras import catalog
from ftkeras.experiment import encoder_source
from ftkeras.experiment.definition import Experiment
from ftkeras.runs.model_card import ModelCard
from ftkeras.runs.naming import run_name
from ftkeras.support import files


class Exporter(Protocol):
    """Writes a trained model in one format.

    Attributes:
        message: after writing, a line about the result, or None.
    """

    message: str | None

    def write(self) -> pathlib.Path:
        """Write the export and return where it is."""
        ...


def build_exporters(experiment: Experiment, run_dir: pathlib.Path) -> list[Exporter]:
    """Build the exporters before training, so that they can refuse what they cannot export.

    Raises:
        UserError: if a folder cannot be written, or an exporter refuses the model.
    """
    config, task = experiment.config, experiment.task
    name = run_name(config)
    served_from = pathlib.Path(config.export_dir) / name
    files.require_writable(served_from, "export_dir")
    files.require_writable(run_dir, "run_dir")
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
            card=_card(experiment, run_dir),
        )
        for spec in config.exports
    ]


def _card(experiment: Experiment, run_dir: pathlib.Path) -> ModelCard:
    config, task, encoder = experiment.config, experiment.task, experiment.model.encoder
    about = inspect.getdoc(type(task)) or ""
    return ModelCard(
        config=config,
        run_dir=run_dir,
        about=about.split("\n\n")[0].replace("\n", " "),
        labels=experiment.labels,
        pairs=task.pairs,
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
