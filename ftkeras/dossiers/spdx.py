"""Write a bill of materials in SPDX 3.0, with its profiles for AI and data sets.

Source: https://spdx.github.io/spdx-spec/v3.0.1.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ftkeras.dossiers.inventory import Inventory
from ftkeras.dossiers.license_terms import UNKNOWN
from ftkeras.dossiers.spdx_profiles import ALWAYS, KEYS, LICENSES, SECTIONS, component, missing

CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
CREATION = "_:creation"


def document(inventory: Inventory) -> dict[str, Any]:
    """Return the bill of materials of a run, as JSON-LD.

    It claims the profiles for AI and data sets if all that they ask for is known; see
    `spdx_profiles.missing`.
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
        self._agents: dict[str, dict[str, Any]] = {}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        creator = self._creator()
        model, data = self._model(), self._data()
        packages = {package.name: self._package(package) for package in self._of.packages}
        encoder = [] if self._of.checkpoint is None else [self._encoder()]
        teachers = [self._teacher(*one) for one in self._of.teachers.items()]
        ancestors = [*encoder, *teachers]
        links = [self._link(model, "trainedOn", [data]), self._link(model, "testedOn", [data])]
        if ancestors:
            links.append(self._link(model, "descendantOf", ancestors))
        for package in self._of.packages:
            needed = [packages[name] for name in dict.fromkeys(package.needs) if name in packages]
            if needed:
                links.append(self._link(packages[package.name], "dependsOn", needed))
        licenses = [*self._licenses([model, data, *ancestors], packages)]
        others = [one for one in self._agents.values() if one is not creator]
        everything = [*others, model, data, *ancestors, *packages.values(), *links, *licenses]
        conforms = [name for name, keys in missing(everything).items() if not keys]
        yield creator
        yield self._new("SpdxDocument", "document") | {
            "name": f"Bill of materials of {self._of.name}",
            "profileConformance": [*ALWAYS, *conforms],
            "rootElement": [model["spdxId"]],
            "element": [one["spdxId"] for one in (creator, *everything)],
        }
        yield from everything

    def _creator(self) -> dict[str, Any]:
        if self._of.provider:
            return self._agent(self._of.provider)
        return self._new("SoftwareAgent", "tool") | {"name": "ftkeras"}

    def _agent(self, name: str) -> dict[str, Any]:
        """Return the organization or person of a name, of which nothing says which it is."""
        if name not in self._agents:
            self._agents[name] = self._new("Agent", "agent") | {"name": name}
        return self._agents[name]

    def _model(self) -> dict[str, Any]:
        limits = "; ".join(self._of.statements.get("limitations", ()))
        purpose = self._of.statements.get("purpose.intended_use")
        weights = self._of.weights
        return self._new("ai_AIPackage", "model") | {
            "name": self._of.name,
            "software_primaryPurpose": "model",
            "ai_typeOfModel": [self._of.problem, "transformer"],
            "ai_hyperparameter": [_entry(*_split(flag)) for flag in self._of.settings],
            "ai_metric": [
                _entry(f"{name} on {self._of.split}", f"{value:.6g}")
                for name, value in self._of.metrics.items()
            ],
            **self._published("model"),
            **({"ai_informationAboutApplication": purpose} if purpose else {}),
            **({"ai_limitation": limits} if limits else {}),
            **({"verifiedUsing": [_hash(weights["sha256"])]} if weights else {}),
        }

    def _data(self) -> dict[str, Any]:
        about = self._of.data
        collection, preprocessing = about.get("collection"), about.get("cleaning")
        return self._new("dataset_DatasetPackage", "data") | {
            "name": about.get("name") or about["task"],
            "software_primaryPurpose": "data",
            "dataset_datasetType": ["text"],
            "verifiedUsing": [_hash(file["sha256"]) for file in self._of.files],
            **self._published("data"),
            **({"dataset_dataPreprocessing": [preprocessing]} if preprocessing else {}),
            **({"dataset_dataCollectionProcess": collection} if collection else {}),
        }

    def _encoder(self) -> dict[str, Any]:
        return self._new("ai_AIPackage", "encoder") | {
            "name": self._of.checkpoint,
            "software_primaryPurpose": "model",
            **self._published("encoder"),
        }

    def _teacher(self, name: str, sha256: str) -> dict[str, Any]:
        return self._new("ai_AIPackage", "teacher") | {
            "name": name,
            "software_primaryPurpose": "model",
            **self._published("teacher"),
            **({"verifiedUsing": [_hash(sha256)]} if sha256 else {}),
        }

    def _published(self, of: str) -> dict[str, Any]:
        """Return who published a component, when, where, and as which version, if it is known."""
        known = {**self._of.known, **self._of.statements}
        published = {
            name: known[key]
            for name, field in KEYS.items()
            if (key := f"{SECTIONS[of]}.{field}") in known
        }
        for name in ("releaseTime", "builtTime"):
            if name in published:
                published[name] += "T00:00:00Z"
        if "suppliedBy" in published:
            published["suppliedBy"] = self._agent(published["suppliedBy"])["spdxId"]
        if "originatedBy" in published:
            published["originatedBy"] = [self._agent(published["originatedBy"])["spdxId"]]
        return published

    def _package(self, package: Any) -> dict[str, Any]:
        return self._new("software_Package", "package") | {
            "name": package.name,
            "software_packageVersion": package.version,
            "software_packageUrl": f"pkg:pypi/{package.name}@{package.version}",
            "software_primaryPurpose": "library",
        }

    def _licenses(
        self, components: list[dict[str, Any]], packages: Mapping[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """Yield each license once, and which elements have it.

        Of model, data, encoder and teachers it is also the concluded one: what a person states, or
        else what the task or the model card does.
        """
        owners: dict[str, list[dict[str, Any]]] = {}
        pairs = [(one, self._of.licenses.get(component(one))) for one in components]
        pairs += [(packages[package.name], package.license) for package in self._of.packages]
        for owner, expression in pairs:
            if expression and expression != UNKNOWN:
                owners.setdefault(expression, []).append(owner)
        for expression, having in owners.items():
            element = self._new("simplelicensing_LicenseExpression", "license") | {
                "simplelicensing_licenseExpression": expression
            }
            yield element
            for owner in having:
                for kind in LICENSES if owner in components else LICENSES[:1]:
                    yield self._link(owner, kind, [element])

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
