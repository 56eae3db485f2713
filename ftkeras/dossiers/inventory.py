"""The inventory of a model, from which bills of materials of each format are written."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ftkeras.checkpoints import huggingface
from ftkeras.dossiers import license_terms, software
from ftkeras.dossiers.license_terms import UNKNOWN
from ftkeras.dossiers.part import Part
from ftkeras.dossiers.software import Package
from ftkeras.dossiers.subject import Subject
from ftkeras.runs import audit

# The namespace of the ids of our documents: the same weights have the same id.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "ftkeras:dossier")
KINDS = ("model", "data", "encoder", "teacher", "code")
HUB = "https://huggingface.co"


@dataclass(frozen=True)
class Inventory:
    """The components of a model.

    Attributes:
        name, version, provider: of the system, as people state them; the name of the run, and "",
            if they do not.
        uuid: the same for the same run and weights.
        created: the time now, in UTC, as ISO 8601 writes it.
        problem, answers: what kind of model it is, and what it does with a text.
        output: what its answers are.
        encoder, checkpoint: the spec, and the folder or Hub id of the pretrained weights, if any.
        teachers: the SHA-256 of the weights of each model that it learned from; "" if unknown.
        known: what is known without a statement, by the key of about.yaml.
        weights: their file, size and SHA-256; empty if the run kept none.
        settings: the flags of the run.
        split, metrics, intervals: what was measured, on which split.
        data, files: where the data come from, and each file.
        licenses: SPDX expressions of model, data, encoder, teacher and code; None if unknown.
        packages: that are installed.
        statements: what people state.
    """

    name: str
    version: str
    provider: str
    uuid: uuid.UUID
    created: str
    problem: str
    answers: str
    output: str
    encoder: str
    checkpoint: str | None
    teachers: Mapping[str, str]
    known: Mapping[str, str]
    weights: Mapping[str, Any]
    settings: Sequence[str]
    split: str
    metrics: Mapping[str, float]
    intervals: Mapping[str, Sequence[float]]
    data: Mapping[str, Any]
    files: Sequence[Mapping[str, Any]]
    licenses: Mapping[str, str | None]
    packages: Sequence[Package]
    statements: Mapping[str, Any]


def take(subject: Subject, parts: Mapping[str, Part]) -> Inventory:
    """Return the inventory of a run.

    Args:
        subject: the run.
        parts: those about the model, the data, licenses and the evaluation.

    Raises:
        UserError: if a package that reads licenses is not installed.
    """
    about = subject.about
    model, data = parts["model"].data, parts["data"].data
    evaluated, weights = parts["evaluation"].data, model.get("weights") or {}
    of_model = license_terms.identify(about.text("system.license"))
    licenses = {**parts["licenses"].data, "model": None if of_model == UNKNOWN else of_model}
    return Inventory(
        name=about.text("system.name") or subject.view.title,
        version=about.text("system.version"),
        provider=about.text("system.provider"),
        uuid=uuid.uuid5(NAMESPACE, f"{subject.view.title} {weights.get('sha256')}"),
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        problem=subject.view.problem.kind,
        answers=subject.view.problem.describe(),
        output=subject.view.problem.output,
        encoder=subject.config.encoder,
        checkpoint=subject.checkpoint,
        teachers=_teachers(subject),
        known=_known(subject),
        weights=weights,
        settings=model.get("settings", ()),
        split=evaluated.get("split", ""),
        metrics=evaluated.get("metrics", {}),
        intervals=evaluated.get("intervals", {}),
        data=data.get("source", {"task": subject.config.task}),
        files=data.get("files", ()),
        licenses={kind: licenses.get(kind) for kind in KINDS},
        packages=software.installed(),
        statements=about.statements,
    )


def _teachers(subject: Subject) -> dict[str, str]:
    """Return the digest of each teacher's weights when it answered, by the audit log."""
    recorded = audit.read(subject.folder).last("trained").get("teachers", {})
    return {name: recorded.get(name, "") for name in subject.config.teacher}


def _known(subject: Subject) -> dict[str, str]:
    """Return who publishes the encoder and the data on the Hugging Face Hub, and where."""
    links, name = {}, subject.checkpoint
    if name is not None and huggingface.is_from_hub(name):
        links["encoder.download"] = f"{HUB}/{name}"
        if "/" in name:
            links["encoder.provider"] = name.partition("/")[0]
    if dataset := getattr(subject.task, "hub_dataset", None):
        links["data.download"] = f"{HUB}/datasets/{dataset}"
    return links
