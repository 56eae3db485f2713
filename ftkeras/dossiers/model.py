"""The part about the model: what it answers, what it is built of, and how it was trained."""

import pathlib
from typing import Any

from ftkeras.config import combinations, flagfile
from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import Subject
from ftkeras.figures.parts import Code, Facts
from ftkeras.runs import inputs, layout
from ftkeras.runs import license as known_license
from ftkeras.support import files, hashes

# Of the encoder's config.json, what says how large it is.
SIZES = (
    *("model_type", "num_hidden_layers", "hidden_size", "num_attention_heads"),
    *("intermediate_size", "vocab_size", "max_position_embeddings"),
)


def part(subject: Subject) -> Part:
    """Return the part about the model."""
    view, config = subject.view, subject.config
    settings = flagfile.arguments(config)
    weights = _weights(view.folder / layout.WEIGHTS)
    architecture = files.read_json(view.folder / layout.ENCODER / "config.json")
    license = known_license.describe(subject.checkpoint)
    is_unknown = subject.checkpoint is not None and known_license.find(subject.checkpoint) is None
    data: dict[str, Any] = {
        "problem": view.problem.kind,
        "answers": view.problem.describe(),
        "outputs": list(view.problem.names),
        "inputs": _inputs(subject),
        "encoder": {
            "spec": config.encoder,
            "checkpoint": subject.checkpoint,
            "license": None if is_unknown else license,
        },
        "architecture": {name: architecture[name] for name in SIZES if name in architecture},
        "settings": settings,
        "versions": view.metrics.get("versions", {}),
        "library": view.problem.library,
        "pipeline": view.problem.pipeline,
        "weights": weights,
    }
    facts = {
        "Model": view.problem.kind,
        "Outputs": ", ".join(view.problem.names[:20]),
        "Reads": ", ".join(f"{name}: {value}" for name, value in data["inputs"].items()),
        "Encoder": f"{config.encoder}; license: {license}",
        "Architecture": ", ".join(f"{n} {v}" for n, v in data["architecture"].items()),
        "Versions": ", ".join(f"{name} {v}" for name, v in data["versions"].items()),
        "Weights": f"SHA-256 {weights['sha256']}, {weights['bytes']:,} bytes" if weights else "",
    }
    shown = {name: value or "not recorded" for name, value in facts.items()}
    command = flagfile.shortest_command("train", config)
    return Part("model", "Model", data, [Facts(shown), Code(command, "Trained by")])


def _inputs(subject: Subject) -> dict[str, Any]:
    recorded = inputs.read(subject.folder)
    return {
        "text": "two texts" if recorded.get("pairs") else "one text",
        "tokens at most": subject.config.max_length,
        "truncation": combinations.truncation(subject.config),
    }


def _weights(path: pathlib.Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": hashes.sha256(path)}
