"""Bills of materials, against the published schemas."""

import dataclasses
import json

import pytest
import spdx_python_model
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from ftkeras.dossiers import about, cyclonedx, inventory, spdx, spdx_profiles
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
# What the profiles of SPDX ask for beside it.
PUBLISHED = {
    "system.released": "2026-11-30",
    "system.download": "https://example.org/model",
    "system.license": "MIT",
    "encoder.provider": "They",
    "encoder.version": "1",
    "encoder.released": "2020-01-01",
    "encoder.download": "https://example.org/encoder",
    "data.author": "We",
    "data.built": "2026-01-01",
    "data.released": "2026-01-02",
    "data.download": "https://example.org/data",
}
# https://spdx.github.io/spdx-spec/v3.0.1/model/AI/Classes/AIPackage and …/Dataset/Classes/
# DatasetPackage, "External properties cardinality updates"
EXTERNAL = {
    "ai_AIPackage": (
        *("releaseTime", "suppliedBy", "software_downloadLocation", "software_packageVersion"),
        "software_primaryPurpose",
    ),
    "dataset_DatasetPackage": (
        *("builtTime", "originatedBy", "releaseTime", "software_downloadLocation"),
        "software_primaryPurpose",
    ),
}
DATA = {
    "source": {"task": "imdb", "version": "1.0", "collection": "From the web."},
    "files": [{"split": "train", "path": "a.csv", "bytes": 3, "sha256": SHA}],
}
EVALUATION = {"split": "test", "metrics": {"accuracy": 0.9}, "intervals": {"accuracy": [0.8, 1.0]}}


def take(
    tmp_path, statements, *, data=DATA, evaluation=EVALUATION, weights=None, encoder_license=None
):
    view = finished_runs.classes(tmp_path, ["no", "yes"])
    model = {"settings": ["--task=imdb"], "weights": weights or {}}
    contents = {
        "model": model,
        "data": data,
        "evaluation": evaluation,
        "licenses": {"data": "CC-BY-4.0", "encoder": encoder_license},
    }
    parts = {name: Part(name, name, content, []) for name, content in contents.items()}
    return inventory.take(Subject(view, About(statements), output=view.folder), parts)


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


@pytest.mark.parametrize("name", ["full", "bare", "taught"])
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


def test_purpose_of_the_model_is_not_that_of_the_data(full, tmp_path):
    (data,) = read_spdx(full, tmp_path / "bom.json").foreach_type("dataset_DatasetPackage")
    assert data.dataset_intendedUse is None
    assert data.dataset_dataCollectionProcess == "From the web."


def test_same_weights_have_the_same_serial_number(full, bare, tmp_path):
    again = take(tmp_path, STATED, weights={"sha256": SHA, "bytes": 9})
    assert again.uuid == full.uuid != bare.uuid


@pytest.fixture(scope="module")
def taught(full):
    """Return an inventory of a run with two teachers, of one of which the weights are gone."""
    return dataclasses.replace(full, teachers={"runs/a": SHA, "runs/b": ""})


def test_teachers_are_components(taught, tmp_path):
    components = cyclonedx.bill(taught)["components"]
    found = {one["name"]: one.get("hashes") for one in components if "teacher" in one["bom-ref"]}
    assert found == {"runs/a": [{"alg": "SHA-256", "content": SHA}], "runs/b": None}
    objects = read_spdx(taught, tmp_path / "bom.json")
    assert {"runs/a", "runs/b"} < {one.name for one in objects.foreach_type("ai_AIPackage")}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return an inventory of a run about which all is known that profiles of SPDX ask for."""
    known = {**STATED, **PUBLISHED}
    return take(tmp_path_factory.mktemp("published"), known, encoder_license="Apache-2.0")


def read_spdx(found: inventory.Inventory, path):
    """Return the elements of a bill, as SPDX's own library reads and validates them."""
    path.write_text(json.dumps(spdx.document(found)))
    _, objects = spdx_python_model.load(path)
    assert not objects.missing_ids
    return objects


@pytest.mark.parametrize("name", ["full", "bare", "published"])
def test_spdx_is_read_by_its_own_library(name, request, tmp_path):
    objects = read_spdx(request.getfixturevalue(name), tmp_path / "bom.json")
    read = list(objects.foreach_type("ai_AIPackage"))
    assert len(read) == 2  # the model, and the encoder that it descends from
    assert {"trainedOn", "dependsOn", "hasDeclaredLicense"} <= {kind for kind, _ in links(objects)}
    (document,) = objects.foreach_type("SpdxDocument")
    assert {one.spdxId for one in document.element} | {document.spdxId} == {
        one.spdxId for one in objects.foreach_type("Element")
    }


def links(objects) -> list[tuple[str, str]]:
    """Return the kind of each relationship, and from which element it is."""
    return [
        (one.relationshipType.rpartition("/")[2], one.from_.spdxId)
        for one in objects.foreach_type("Relationship")
    ]


def claimed(objects) -> set[str]:
    (document,) = objects.foreach_type("SpdxDocument")
    return {one.rpartition("/")[2] for one in document.profileConformance}


def test_spdx_claims_the_profiles_whose_requirements_are_met(published, full, tmp_path):
    objects = read_spdx(published, tmp_path / "bom.json")
    assert claimed(objects) >= {"ai", "dataset"}
    for kind, names in EXTERNAL.items():
        for one in objects.foreach_type(kind):
            assert all(getattr(one, name) for name in names)
            # "for every AIPackage there MUST exist exactly one Relationship of type …"
            assert links(objects).count(("hasConcludedLicense", one.spdxId)) == 1
            assert links(objects).count(("hasDeclaredLicense", one.spdxId)) == 1
    by_name = {one.name: one for one in objects.foreach_type("ai_AIPackage")}
    assert by_name["A system"].releaseTime.isoformat() == "2026-11-30T00:00:00+00:00"
    assert by_name["A system"].suppliedBy.name == "We"
    assert not claimed(read_spdx(full, tmp_path / "bom.json")) & {"ai", "dataset"}


@pytest.mark.parametrize(
    "key", [*PUBLISHED, "system.version", "system.provider", "encoder.license", "data.license"]
)
def test_spdx_claims_no_profile_that_lacks_something(key, published):
    statements = {name: value for name, value in published.statements.items() if name != key}
    of = {"system.license": "model", "encoder.license": "encoder", "data.license": "data"}.get(key)
    licenses = {name: None if name == of else value for name, value in published.licenses.items()}
    found = dataclasses.replace(published, statements=statements, licenses=licenses, known={})
    elements = spdx.document(found)["@graph"]
    without = "dataset" if key.startswith("data.") else "ai"
    assert spdx_profiles.missing(elements) == {"ai": [], "dataset": []} | {without: [key]}
    (document,) = (one for one in elements if one["type"] == "SpdxDocument")
    assert {"ai", "dataset"} - set(document["profileConformance"]) == {without}


def test_what_the_hub_knows_need_not_be_stated(full, published):
    assert full.known == {"data.download": "https://huggingface.co/datasets/stanfordnlp/imdb"}
    known = {"encoder.download": "https://huggingface.co/google-bert/bert-base-uncased"}
    elements = spdx.document(dataclasses.replace(full, known=known))["@graph"]
    assert "encoder.download" not in spdx_profiles.missing(elements)["ai"]
    elements = spdx.document(dataclasses.replace(published, known=known))["@graph"]
    (encoder,) = (one for one in elements if one.get("spdxId", "").endswith("#encoder-1"))
    assert encoder["software_downloadLocation"] == PUBLISHED["encoder.download"]


def test_everything_that_profiles_lack_can_be_stated(bare):
    lacking = spdx_profiles.missing(spdx.document(bare)["@graph"])
    named = {key for keys in lacking.values() for key in keys}
    assert named <= set(about.keys())
    assert {"system.released", "encoder.version", "data.author"} < named
