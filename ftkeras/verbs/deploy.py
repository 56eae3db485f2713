"""Write the files that serve an exported model with TensorFlow Serving, or with Triton."""

import logging
import pathlib
import re
from dataclasses import dataclass

from ftkeras.config.serving import DeployConfig
from ftkeras.errors import UserError
from ftkeras.reports import deployment
from ftkeras.serving import manifests
from ftkeras.serving.manifests import Plan, Server
from ftkeras.serving.model_folder import find_versions, is_onnx
from ftkeras.support import files
from ftkeras.workflows import promotions, triton_repository

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Deployment:
    """The files that were written.

    Attributes:
        folder: where they are.
        plan: the versions and labels that they name; of an ONNX model the new version, no labels.
        wanted: the labels that they will name after the next call, if they differ.
    """

    folder: pathlib.Path
    plan: Plan
    wanted: dict[str, int]


def run(config: DeployConfig) -> Deployment:
    """Write the files; called again, write the next step towards the newest version.

    Of an ONNX model they are a model repository of Triton, with a new version of the model.

    Raises:
        UserError: if the model, a version, the output folder or the log of a run is wrong.
    """
    if config.model and is_onnx(folder := pathlib.Path(config.model)):
        return _deploy_onnx(config, folder)
    model, version = find_versions(config.model, "deploy")
    if version is not None:
        raise UserError(f"deploy needs the folder of versions, {model}; see `stable`.")
    name, output = _check(config, config.name or model.resolve().name)
    available, before = manifests.versions(model), manifests.read_plan(output / manifests.MODELS)
    wanted = manifests.choose_labels(available, config.stable, before)
    plan = manifests.next_plan(wanted, before, available)
    promotions.require_recordable(model, before, plan)
    server = Server(
        model=model, name=name, image=config.image, batch_size=config.batch_size, plan=plan
    )
    for file, text in manifests.render(server, output).items():
        files.write_text(output / file, text)
    log.info(deployment.text(output, plan, wanted))
    promotions.record(model, before, plan)
    return Deployment(output, plan, wanted)


def _deploy_onnx(config: DeployConfig, folder: pathlib.Path) -> Deployment:
    if config.name is None:
        raise UserError(f"deploy of an ONNX model, {folder}, needs `name`, its name in URLs.")
    if config.stable is not None:
        raise UserError("`stable` is for SavedModels: Triton serves the newest version.")
    name, output = _check(config, config.name)
    version = triton_repository.write(folder, output, name=name, batch_size=config.batch_size)
    log.info(deployment.triton_text(output, version))
    return Deployment(output, Plan((int(version.name),), {}), {})


def _check(config: DeployConfig, name: str) -> tuple[str, pathlib.Path]:
    """Return the model's name and the folder to write, if both can be used."""
    output = files.require_writable(config.output or f"deploy-{name}", "output")
    if not re.fullmatch(r"(?=.*[A-Za-z0-9])[\w.-]+", name):
        allowed = "letters, digits, _, . and - only, and needs a digit or a letter from A to Z"
        raise UserError(f"`name` may have {allowed}. Received: {name}.")
    return name, output
