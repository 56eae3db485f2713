"""The part about what the model consists of: bills of materials in published formats."""

from collections.abc import Mapping

from ftkeras.dossiers import cyclonedx, inventory, spdx
from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import Subject
from ftkeras.figures.parts import Facts, Table

CYCLONEDX, SPDX = "bom.cdx.json", "bom.spdx.json"


def part(subject: Subject, parts: Mapping[str, Part]) -> Part:
    """Return the bills of materials.

    Args:
        subject: the run.
        parts: those about the model, the data, licenses, the evaluation and vulnerabilities.

    Raises:
        UserError: if license-expression is not installed.
    """
    found = inventory.take(subject, parts)
    components = [
        {"kind": "model", "name": found.name, "version": found.version},
        {"kind": "data", "name": found.data["task"], "version": found.data.get("version", "")},
        *([{"kind": "encoder", "name": name, "version": ""}] if (name := found.checkpoint) else []),
        *({"kind": "package", "name": p.name, "version": p.version} for p in found.packages),
    ]
    rows = [[one["kind"], one["name"], one["version"] or None] for one in components]
    shown = [
        Facts(
            {
                "CycloneDX 1.6": f"{CYCLONEDX}, a machine-learning BOM with a model card",
                "SPDX 3.0.1": f"{SPDX}, with elements of the AI and data set profiles",
            }
        ),
        Table("components", "Components", ["kind", "name", "version"], rows),
    ]
    known = parts["vulnerabilities"].data.get("found", ())
    documents = {CYCLONEDX: cyclonedx.bill(found, known), SPDX: spdx.document(found)}
    return Part("materials", "Bill of materials", {"components": components}, shown, documents)
