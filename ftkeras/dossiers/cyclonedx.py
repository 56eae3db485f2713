"""Write a bill of materials in CycloneDX 1.6, with a model card.

Source: https://cyclonedx.org/docs/1.6/json.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ftkeras.dossiers.inventory import Inventory
from ftkeras.dossiers.license_terms import UNKNOWN
from ftkeras.dossiers.software import Package

SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
MODEL, DATA, ENCODER, TEACHER = "model", "data", "encoder", "teacher"


def bill(inventory: Inventory, vulnerabilities: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return the bill of materials of a run, as the JSON format has it.

    Args:
        inventory: of the run.
        vulnerabilities: of its packages, as `ftkeras.dossiers.osv.Vulnerability` names the fields.
    """
    parts = [_data(inventory), *_encoder(inventory), *_teachers(inventory)]
    components = [*parts, *map(_package, inventory.packages)]
    return {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{inventory.uuid}",
        "version": 1,
        "metadata": {
            "timestamp": inventory.created,
            "tools": {"components": [_tool(inventory.packages)]},
            "component": _model(inventory),
            **({"supplier": {"name": name}} if (name := inventory.provider) else {}),
        },
        "components": components,
        "dependencies": [
            {"ref": MODEL, "dependsOn": [one["bom-ref"] for one in parts]},
            *({"ref": _ref(p), "dependsOn": _needs(p, inventory)} for p in inventory.packages),
        ],
        **_known(vulnerabilities),
    }


def _known(vulnerabilities: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return (
        {"vulnerabilities": list(map(_vulnerability, vulnerabilities))} if vulnerabilities else {}
    )


def _vulnerability(one: Mapping[str, Any]) -> dict[str, Any]:
    fixed = f"Upgrade {one['package']} to {one['fixed']}." if one["fixed"] else ""
    return {
        "id": one["id"],
        "source": {"name": "OSV", "url": f"https://osv.dev/vulnerability/{one['id']}"},
        "references": [
            {
                "id": alias,
                "source": {"name": "OSV", "url": f"https://osv.dev/vulnerability/{alias}"},
            }
            for alias in one["aliases"]
        ],
        "description": one["summary"],
        **({"recommendation": fixed} if fixed else {}),
        "affects": [{"ref": f"pkg:pypi/{one['package']}@{one['version']}"}],
    }


def _model(inventory: Inventory) -> dict[str, Any]:
    weights = inventory.weights
    return {
        "type": "machine-learning-model",
        "bom-ref": MODEL,
        "name": inventory.name,
        **({"version": inventory.version} if inventory.version else {}),
        "description": f"A {inventory.problem}: it {inventory.answers}.",
        **_licenses(inventory.licenses.get(MODEL)),
        **({"hashes": _hashes(weights["sha256"])} if weights else {}),
        "modelCard": {
            "modelParameters": {
                "approach": {"type": "supervised"},
                "task": inventory.problem,
                "architectureFamily": "transformer",
                "modelArchitecture": inventory.encoder,
                "datasets": [{"ref": DATA}],
                "inputs": [{"format": "string"}],
                "outputs": [{"format": inventory.output}],
            },
            "quantitativeAnalysis": {"performanceMetrics": _metrics(inventory)},
            **_considerations(inventory.statements),
        },
        "properties": [
            {"name": "ftkeras:setting", "value": setting} for setting in inventory.settings
        ],
    }


def _metrics(inventory: Inventory) -> list[dict[str, Any]]:
    """Return the metrics as texts, which the schema wants."""
    return [
        {
            "type": name,
            "value": f"{value:.6g}",
            "slice": inventory.split,
            **_interval(inventory.intervals.get(name)),
        }
        for name, value in inventory.metrics.items()
    ]


def _interval(ends: Sequence[float] | None) -> dict[str, Any]:
    if ends is None:
        return {}
    low, high = (f"{end:.6g}" for end in ends)
    return {"confidenceInterval": {"lowerBound": low, "upperBound": high}}


def _considerations(statements: Mapping[str, Any]) -> dict[str, Any]:
    """Return the statements of people for which the schema has a place."""
    one = statements.get("purpose.intended_use")
    entries = {
        "users": statements.get("purpose.users"),
        "useCases": [one] if one else None,
        "technicalLimitations": statements.get("limitations"),
        "ethicalConsiderations": [{"name": r} for r in statements.get("risks.identified", ())],
    }
    filled = {name: value for name, value in entries.items() if value}
    return {"considerations": filled} if filled else {}


def _data(inventory: Inventory) -> dict[str, Any]:
    about = inventory.data
    return {
        "type": "data",
        "bom-ref": DATA,
        "name": about.get("name") or about["task"],
        **({"version": about["version"]} if about.get("version") else {}),
        **_licenses(inventory.licenses.get(DATA)),
        "data": [
            {
                "type": "dataset",
                "name": file["split"],
                "contents": {
                    "properties": [
                        {"name": "path", "value": file["path"]},
                        {"name": "bytes", "value": str(file["bytes"])},
                        {"name": "sha256", "value": file["sha256"]},
                    ]
                },
            }
            for file in inventory.files
        ],
    }


def _encoder(inventory: Inventory) -> list[dict[str, Any]]:
    if inventory.checkpoint is None:
        return []
    return [
        {
            "type": "machine-learning-model",
            "bom-ref": ENCODER,
            "name": inventory.checkpoint,
            **_licenses(inventory.licenses.get(ENCODER)),
        }
    ]


def _teachers(inventory: Inventory) -> list[dict[str, Any]]:
    return [
        {
            "type": "machine-learning-model",
            "bom-ref": f"{TEACHER}-{number}",
            "name": name,
            "description": "A model whose answers were learned.",
            **_licenses(inventory.licenses.get(TEACHER)),
            **({"hashes": _hashes(sha256)} if sha256 else {}),
        }
        for number, (name, sha256) in enumerate(inventory.teachers.items(), 1)
    ]


def _package(package: Package) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": _ref(package),
        "name": package.name,
        "version": package.version,
        "purl": _ref(package),
        **_licenses(package.license),
    }


def _tool(packages: Sequence[Package]) -> dict[str, Any]:
    own = [package.version for package in packages if package.name == "ftkeras"]
    return {
        "type": "application",
        "name": "ftkeras",
        **({"version": own[0]} if own else {}),
    }


def _needs(package: Package, inventory: Inventory) -> list[str]:
    by_name = {one.name: one for one in inventory.packages}
    return [_ref(by_name[name]) for name in dict.fromkeys(package.needs) if name in by_name]


def _ref(package: Package) -> str:
    return f"pkg:pypi/{package.name}@{package.version}"


def _hashes(sha256: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": sha256}]


def _licenses(expression: str | None) -> dict[str, Any]:
    known = expression and expression != UNKNOWN
    return {"licenses": [{"expression": expression}]} if known else {}
