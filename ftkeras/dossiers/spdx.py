"""Write a bill of materials in SPDX 3.0, with its profiles for AI and data sets.

Source: https://spdx.github.io/spdx-spec/v3.0.1.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ftkeras.dossiers.inventory import Inventory
from ftkeras.dossiers.license_terms import UNKNOWN

CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
CREATION = "_:creation"


def document(inventory: Inventory) -> dict[str, Any]:
    """Return the bill of materials of a run, as JSON-LD.

    It conforms to the core, the software and the licensing profile. That it conforms to the
    profiles for AI and data sets is not claimed: these require dates and addresses that a run does
    not know.
    """
    elements = [*_Elements(inventory)]
    creation = {
        "type": "CreationInfo",
        "@id": CREATION,
        "specVersion": "3.0.1",
        "created": inventory.created,
        "createdBy": [elements[0]["spdxId"]],
    }
    return {"@context": CONTEXT, "@graph": [creation, *elements]}


class _Elements:
    """Yields the elements of the document."""

    def __init__(self, inventory: Inventory):
        self._of = inventory
        self._numbers: dict[str, int] = {}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        agent = self._agent()
        model, data = self._model(agent["spdxId"]), self._data()
        packages = {package.name: self._package(package) for package in self._of.packages}
        encoder = [] if self._of.checkpoint is None else [self._encoder()]
        links = [self._link(model, "trainedOn", [data]), self._link(model, "testedOn", [data])]
        if encoder:
            links.append(self._link(model, "descendantOf", encoder))
        for package in self._of.packages:
            needed = [packages[name] for name in dict.fromkeys(package.needs) if name in packages]
            if needed:
                links.append(self._link(packages[package.name], "dependsOn", needed))
        licenses = [*self._licenses(data, encoder, packages)]
        everything = [model, data, *encoder, *packages.values(), *links, *licenses]
        yield agent
        yield self._new("SpdxDocument", "document") | {
            "name": f"Bill of materials of {self._of.name}",
            "profileConformance": ["core", "software", "simpleLicensing"],
            "rootElement": [model["spdxId"]],
            "element": [one["spdxId"] for one in (agent, *everything)],
        }
        yield from everything

    def _agent(self) -> dict[str, Any]:
        if self._of.provider:
            return self._new("Organization", "provider") | {"name": self._of.provider}
        return self._new("SoftwareAgent", "tool") | {"name": "ftkeras"}

    def _model(self, supplier: str) -> dict[str, Any]:
        limits = "; ".join(self._of.statements.get("limitations", ()))
        purpose = self._of.statements.get("purpose.intended_use")
        weights = self._of.weights
        return self._new("ai_AIPackage", "model") | {
            "name": self._of.name,
            "software_primaryPurpose": "model",
            "suppliedBy": supplier,
            "ai_typeOfModel": [self._of.problem, "transformer"],
            "ai_hyperparameter": [_entry(*_split(flag)) for flag in self._of.settings],
            "ai_metric": [
                _entry(f"{name} on {self._of.split}", f"{value:.6g}")
                for name, value in self._of.metrics.items()
            ],
            **({"software_packageVersion": self._of.version} if self._of.version else {}),
            **({"ai_informationAboutApplication": purpose} if purpose else {}),
            **({"ai_limitation": limits} if limits else {}),
            **({"verifiedUsing": [_hash(weights["sha256"])]} if weights else {}),
        }

    def _data(self) -> dict[str, Any]:
        about = self._of.data
        texts = {
            "software_packageVersion": about.get("version"),
            "dataset_dataCollectionProcess": about.get("collection"),
            "dataset_intendedUse": self._of.statements.get("purpose.intended_use"),
        }
        preprocessing = about.get("cleaning")
        return self._new("dataset_DatasetPackage", "data") | {
            "name": about.get("name") or about["task"],
            "software_primaryPurpose": "data",
            "dataset_datasetType": ["text"],
            "verifiedUsing": [_hash(file["sha256"]) for file in self._of.files],
            **({"dataset_dataPreprocessing": [preprocessing]} if preprocessing else {}),
            **{name: text for name, text in texts.items() if text},
        }

    def _encoder(self) -> dict[str, Any]:
        return self._new("ai_AIPackage", "encoder") | {
            "name": self._of.checkpoint,
            "software_primaryPurpose": "model",
        }

    def _package(self, package: Any) -> dict[str, Any]:
        return self._new("software_Package", "package") | {
            "name": package.name,
            "software_packageVersion": package.version,
            "software_packageUrl": f"pkg:pypi/{package.name}@{package.version}",
            "software_primaryPurpose": "library",
        }

    def _licenses(
        self, data: dict[str, Any], encoder: list[dict[str, Any]], packages: Mapping[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """Yield each license once, and which elements have it."""
        owners: dict[str, list[dict[str, Any]]] = {}
        pairs = [(data, self._of.licenses.get("data"))]
        pairs += [(one, self._of.licenses.get("encoder")) for one in encoder]
        pairs += [(packages[package.name], package.license) for package in self._of.packages]
        for owner, expression in pairs:
            if expression and expression != UNKNOWN:
                owners.setdefault(expression, []).append(owner)
        for expression, having in owners.items():
            found = self._new("simplelicensing_LicenseExpression", "license") | {
                "simplelicensing_licenseExpression": expression
            }
            yield found
            for owner in having:
                yield self._link(owner, "hasDeclaredLicense", [found])

    def _link(self, source: dict[str, Any], kind: str, to: list[dict[str, Any]]) -> dict[str, Any]:
        return self._new("Relationship", "relationship") | {
            "from": source["spdxId"],
            "relationshipType": kind,
            "to": [one["spdxId"] for one in to],
        }

    def _new(self, kind: str, name: str) -> dict[str, Any]:
        number = self._numbers[name] = self._numbers.get(name, 0) + 1
        spdx_id = f"urn:uuid:{self._of.uuid}#{name}-{number}"
        return {"type": kind, "spdxId": spdx_id, "creationInfo": CREATION}


def _entry(key: str, value: str) -> dict[str, str]:
    return {"type": "DictionaryEntry", "key": key, "value": value}


def _split(flag: str) -> tuple[str, str]:
    name, _, value = flag.removeprefix("--").partition("=")
    return name, value


def _hash(sha256: str) -> dict[str, str]:
    return {"type": "Hash", "algorithm": "sha256", "hashValue": sha256}
