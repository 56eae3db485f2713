"""Writes what TensorFlow Serving wants, to serve an exported model with Docker or Kubernetes."""

import logging
import math
import os
import pathlib
import re
import string
from dataclasses import dataclass

from ftkeras.config.serving import DeployConfig
from ftkeras.errors import UserError
from ftkeras.support import files
from ftkeras.verbs.serve import model_folder

log = logging.getLogger(__name__)

TEMPLATES = pathlib.Path(__file__).parents[1] / "serving" / "templates"
MODELS = "models.config"


@dataclass(frozen=True)
class Plan:
    """Which versions are loaded, and which labels name them."""

    versions: tuple[int, ...]
    labels: dict[str, int]


def run(config: DeployConfig) -> None:
    """`deploy`: a folder to copy or to run from; a second time, the way to the next version."""
    folder, only = model_folder(config.model, "deploy")
    if only is not None:
        raise UserError(f"deploy wants the folder of versions, {folder}; see `stable`.")
    name = config.name or folder.resolve().name
    output = pathlib.Path(config.output or f"deploy-{name}")
    files.require_writable(output, "output")
    if not re.fullmatch(r"[\w.-]+", name):
        raise UserError(f"`name` must be of letters, digits, _, . and -. Received: {name}.")
    there = {int(path.parent.name) for path in folder.glob("[0-9]*/saved_model.pb")}
    before = recorded(output / MODELS)
    wanted = _wanted(there, config.stable, before)
    planned = plan(wanted, before, there)
    for file, text in _texts(config, folder, name, output, planned).items():
        files.write_text(output / file, text)
    _tell(output, planned, wanted)


def plan(wanted: dict[str, int], before: Plan | None, there: set[int]) -> Plan:
    """What can be asked of a server that now does `before`, on the way to the labels wanted.

    TensorFlow Serving refuses a models.config that moves a label to a version it has not loaded yet
    (server_core.cc, UpdateModelVersionLabelMap); a label that is new may name any. So where one
    would have to wait it stays, while its version is loaded. The stable version of before stays
    loaded once more, to go back to.
    """
    labels = {}
    for label, version in wanted.items():
        held = before.labels.get(label, version) if before else version
        loaded = before.versions if before else ()
        labels[label] = version if held == version or version in loaded else held
    last = {before.labels["stable"]} & there if before else set()
    return Plan(tuple(sorted({*wanted.values(), *labels.values(), *last})), labels)


def recorded(path: pathlib.Path) -> Plan | None:
    """What a models.config of ours says; None where there is none."""
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    versions = tuple(int(number) for number in re.findall(r"versions: (\d+)", text))
    labels = {k: int(v) for k, v in re.findall(r'key: "(\w+)" value: (\d+)', text)}
    if "stable" not in labels:
        raise UserError(f"`output`: {path} names no version stable; remove it to write another.")
    return Plan(versions, labels)


def _wanted(there: set[int], stable: int | None, before: Plan | None) -> dict[str, int]:
    newest = max(there)
    if stable is None:
        stable = before.labels["stable"] if before else newest
    if stable not in there:
        listed = ", ".join(map(str, sorted(there)))
        raise UserError(f"stable={stable} is no version of the model; there are: {listed}.")
    return {"stable": stable, **({"canary": newest} if newest > stable else {})}


def _texts(
    config: DeployConfig, folder: pathlib.Path, name: str, output: pathlib.Path, planned: Plan
) -> dict[str, str]:
    # Rows that fill a batch up are work: with sizes so near, less than a third of it.
    sizes = sorted({*(2**k for k in range(20)), *(3 * 2**k for k in range(20))})
    sizes = [*(size for size in sizes if size < config.batch_size), config.batch_size]
    labels = [
        f'    version_labels {{ key: "{label}" value: {version} }}'
        for label, version in planned.labels.items()
    ]
    values = {
        "name": name,
        "object": f"serving-{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}",
        "image": config.image,
        "folder": os.path.relpath(folder, output),
        "versions": " ".join(f"versions: {version}" for version in planned.versions),
        "labels": "\n".join(labels),
        "batch_size": config.batch_size,
        "sizes": "\n".join(f"allowed_batch_sizes: {s}" for s in sizes),
        "memory": _memory(folder, planned),
        "command": f"python -m ftkeras.main deploy --model={config.model}",
    }
    return {
        path.name: string.Template(path.read_text(encoding="utf-8")).substitute(values)
        for path in sorted(TEMPLATES.glob("*.*"))
        if path.suffix in (".config", ".yaml")
    }


def _memory(folder: pathlib.Path, planned: Plan) -> str:
    """Room for two copies of the largest version's files, and for TensorFlow itself."""
    versions = [folder / str(version) for version in planned.versions]
    sizes = [sum(f.stat().st_size for f in v.rglob("*") if f.is_file()) for v in versions]
    return f"{math.ceil(2 + 3 * max(sizes) / 2**30)}Gi"


def _tell(output: pathlib.Path, planned: Plan, wanted: dict[str, int]) -> None:
    log.info(f"deploy  {output}")
    for label, version in planned.labels.items():
        if wanted[label] == version:
            log.info(f"        {label} is version {version}")
        else:
            log.info(
                f"        {label} stays version {version} while {wanted[label]} is loaded; "
                "run this again when it is"
            )
