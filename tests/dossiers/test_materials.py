"""Bills of materials, against the published schemas."""

import json

import pytest
import spdx_python_model
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from ftkeras.dossiers import cyclonedx, inventory, spdx
from ftkeras.dossiers.about import About
from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import Subject
from tests.pages import finished_runs

SHA = "0" * 64
STATED = {
    "system.name": "A system",
    "system.version": "2.0",
    "system.provider": "We",
    "purpose.intended_use": "Sort reviews.",
    "purpose.users": ["clerks"],
    "limitations": ["Short texts."],
    "risks.identified": ["Irony."],
}
DATA = {
    "source": {"task": "imdb", "version": "1.0", "collection": "From the web."},
    "files": [{"split": "train", "path": "a.csv", "bytes": 3, "sha256": SHA}],
}
EVALUATION = {"split": "test", "metrics": {"accuracy": 0.9}, "intervals": {"accuracy": [0.8, 1.0]}}


def take(tmp_path, statements: dict, *, data=DATA, evaluation=EVALUATION, weights=None):
    view = finished_runs.classes(tmp_path, ["no", "yes"])
    model = {"settings": ["--task=imdb"], "weights": weights or {}}
    contents = {
        "model": model,
        "data": data,
        "evaluation": evaluation,
        "licenses": {"data": "CC-BY-4.0", "encoder": None},
    }
    parts = {name: Part(name, name, content, []) for name, content in contents.items()}
    return inventory.take(Subject(view, About(statements)), parts)


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """Return an inventory of a run about which everything is known."""
    return take(tmp_path_factory.mktemp("full"), STATED, weights={"sha256": SHA, "bytes": 9})


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Return an inventory of a run about which little is known."""
    missing = {"missing": "no data"}
    return take(tmp_path_factory.mktemp("bare"), {}, data=missing, evaluation=missing)


def test_cyclonedx_with_vulnerabilities_is_valid(full):
    package = full.packages[0]
    about = {"id": "GHSA-1", "aliases": ("CVE-1",), "summary": "Bad.", "fixed": "99"}
    one = {**about, "package": package.name, "version": package.version, "severity": ("HIGH",)}
    bill = cyclonedx.bill(full, [one])
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    refs = {component["bom-ref"] for component in bill["components"]}
    assert bill["vulnerabilities"][0]["affects"][0]["ref"] in refs


@pytest.mark.parametrize("name", ["full", "bare"])
def test_cyclonedx_is_valid_by_the_published_schema(name, request):
    bill = cyclonedx.bill(request.getfixturevalue(name))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None


def test_cyclonedx_has_a_model_card(full):
    bill = cyclonedx.bill(full)
    card = bill["metadata"]["component"]["modelCard"]
    assert card["quantitativeAnalysis"]["performanceMetrics"] == [
        {
            "type": "accuracy",
            "value": "0.9",
            "slice": "test",
            "confidenceInterval": {"lowerBound": "0.8", "upperBound": "1"},
        }
    ]
    assert card["considerations"]["ethicalConsiderations"] == [{"name": "Irony."}]
    by_name = {one["name"]: one for one in bill["components"]}
    assert by_name["tensorflow"]["licenses"] == [{"expression": "Apache-2.0"}]
    assert by_name["imdb"]["licenses"] == [{"expression": "CC-BY-4.0"}]


def test_cyclonedx_refers_to_components_that_it_has(full):
    bill = cyclonedx.bill(full)
    known = {one["bom-ref"] for one in bill["components"]} | {"model"}
    for one in bill["dependencies"]:
        assert {one["ref"], *one["dependsOn"]} <= known


def test_same_weights_have_the_same_serial_number(full, bare, tmp_path):
    again = take(tmp_path, STATED, weights={"sha256": SHA, "bytes": 9})
    assert again.uuid == full.uuid != bare.uuid


@pytest.mark.parametrize("name", ["full", "bare"])
def test_spdx_is_read_by_its_own_library(name, request, tmp_path):
    path = tmp_path / "bom.json"
    path.write_text(json.dumps(spdx.document(request.getfixturevalue(name))))
    _, objects = spdx_python_model.load(path)
    read = list(objects.foreach_type("ai_AIPackage"))
    assert len(read) == 2  # the model, and the encoder that it descends from
    assert not objects.missing_ids
    links = [
        one.relationshipType.rpartition("/")[2] for one in objects.foreach_type("Relationship")
    ]
    assert {"trainedOn", "dependsOn", "hasDeclaredLicense"} <= set(links)
