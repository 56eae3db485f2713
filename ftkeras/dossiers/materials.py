"""The part about what the model consists of: bills of materials in published formats."""

from collections.abc import Mapping, Sequence

from ftkeras.dossiers import cyclonedx, inventory, spdx, spdx_profiles
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
    bill = inventory.take(subject, parts)
    components = [
        {"kind": "model", "name": bill.name, "version": bill.version},
        {"kind": "data", "name": bill.data["task"], "version": bill.data.get("version", "")},
        *([{"kind": "encoder", "name": name, "version": ""}] if (name := bill.checkpoint) else []),
        *({"kind": "teacher", "name": name, "version": ""} for name in bill.teachers),
        *({"kind": "package", "name": p.name, "version": p.version} for p in bill.packages),
    ]
    rows = [[one["kind"], one["name"], one["version"] or None] for one in components]
    known = parts["vulnerabilities"].data.get("found", ())
    documents = {CYCLONEDX: cyclonedx.bill(bill, known), SPDX: spdx.document(bill)}
    lacking = spdx_profiles.missing(documents[SPDX]["@graph"])
    shown = [
        Facts(
            {
                "CycloneDX 1.6": f"{CYCLONEDX}, a machine-learning BOM with a model card",
                "SPDX 3.0.1": f"{SPDX}. {_claims(lacking)}",
            }
        ),
        Table("components", "Components", ["kind", "name", "version"], rows),
    ]
    data = {"components": components, "spdx_profiles_lack": lacking}
    return Part("materials", "Bill of materials", data, shown, documents)


def _claims(lacking: Mapping[str, Sequence[str]]) -> str:
    """Return which profiles of SPDX are claimed, and what about.yaml would have to state."""
    claimed = [*spdx_profiles.ALWAYS, *(name for name, keys in lacking.items() if not keys)]
    text = f"It claims the profiles {', '.join(claimed)}"
    if keys := [key for keys in lacking.values() for key in keys]:
        others = " and ".join(name for name, keys in lacking.items() if keys)
        text += f", and not {others}, for which about.yaml has to state {', '.join(keys)}"
    return f"{text}."
