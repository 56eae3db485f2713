"""Croissant metadata, read by MLCommons' own library."""

import dataclasses
import json

import mlcroissant
import pytest

from ftkeras.dossiers import data_card
from ftkeras.dossiers.about import About
from ftkeras.dossiers.subject import Subject
from tests.pages import finished_runs

ROWS = [("good, really", "yes"), ("bad", "no"), ("fine", "yes")]
NAMED = "text='comment', label='verdict'"


@pytest.fixture
def part(tmp_path, monkeypatch):
    """Return the data card of a run on a table, whose texts are not read."""
    monkeypatch.chdir(tmp_path)
    table = "\n".join(["comment,verdict", *(f'"{text}",{label}' for text, label in ROWS)])
    (tmp_path / "data.csv").write_text(table + "\n", encoding="utf-8")
    return card(tmp_path)


def card(folder, columns=NAMED, train="data.csv"):
    (folder / "more.csv").write_text("comment\nnot bad\n", encoding="utf-8")
    view = finished_runs.classes(folder / "run", ["no", "yes"])
    task = f"classification(train='{train}', {columns})"
    more = {"self_training": "rounds", "unlabelled": ("more.csv",)}
    config = dataclasses.replace(view.config, task=task, data_dir=".", **more)
    about = About({"data.license": "CC-BY-4.0", "data.version": "1.0.0", "data.citation": "We."})
    output = folder / "run" / "dossier"
    run = dataclasses.replace(view, config=config)
    return data_card.part(Subject(run, about, output, reason="not wanted"))


def write(part, folder):
    """Write the metadata to their place in the folder of the run, and return their path."""
    path = folder / "run" / "dossier" / "croissant.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(part.documents["croissant.json"]))
    return path


def read_rows(path):
    """Return the rows of the only record set."""
    found = mlcroissant.Dataset(jsonld=path)
    (records,) = found.metadata.record_sets
    return [tuple(value.decode() for value in row.values()) for row in found.records(records.id)]


def test_metadata_are_valid_and_read_the_rows(part, tmp_path, caplog):
    path = write(part, tmp_path)
    found = mlcroissant.Dataset(jsonld=path)
    assert not found.metadata.ctx.issues.errors
    assert "not standard" not in caplog.text
    assert found.metadata.license == ["CC-BY-4.0"]
    assert read_rows(path) == ROWS


def test_files_are_named_from_the_folder_of_the_metadata(part, tmp_path):
    assert "../../data.csv" in [
        one["contentUrl"] for one in part.documents["croissant.json"]["distribution"]
    ]
    assert str(tmp_path) not in json.dumps(part.documents["croissant.json"])


def test_links_to_files_and_folders_lead_to_the_rows(part, tmp_path):
    """As in the cache of the Hub, where the files that links lead to have no suffix."""
    (tmp_path / "data.csv").rename(tmp_path / "5f3a")
    (tmp_path / "data.csv").symlink_to("5f3a")
    (tmp_path / "dossiers").mkdir()
    (tmp_path / "run" / "dossier").symlink_to(tmp_path / "dossiers")
    linked = card(tmp_path)
    assert linked.documents["croissant.json"]["distribution"][0]["contentUrl"] == "../data.csv"
    assert read_rows(write(linked, tmp_path)) == ROWS


@pytest.mark.parametrize("quote", ["", '"'], ids=["plain", "quoted"])
def test_rows_between_tabs_are_read(quote, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [f"{quote}{text}{quote}\t{label}" for text, label in ROWS]
    (tmp_path / "data.tsv").write_text("\n".join(["comment\tverdict", *lines]) + "\n")
    assert read_rows(write(card(tmp_path, train="data.tsv"), tmp_path)) == ROWS


@pytest.mark.parametrize(
    ("name", "table", "columns"),
    [
        ("data.csv", "comment;verdict\nbad, really;no\nfine;yes\n", NAMED),
        (
            "data.csv",
            "comment,verdict\nd\xe9j\xe0 vu,no\nfine,yes\n",
            f"{NAMED}, encoding='cp1252'",
        ),
        ("data.csv", "bad,no\nfine,yes\n", "text=0, label=1, header=False"),
        ("data.csv", "comment, verdict\nbad,no\nfine,yes\n", NAMED),
        ("data.tsv", 'comment\tverdict\n"bad" he said\tno\n"fine\tyes\n', NAMED),
    ],
    ids=["semicolons", "cp1252", "no header", "blank in the header", "quotes are characters"],
)
def test_rows_that_the_format_cannot_describe_are_left_out(
    name, table, columns, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(table.encode("cp1252"))
    found = card(tmp_path, columns, name).documents["croissant.json"]
    assert found["distribution"][0]["name"] == name
    assert "recordSet" not in found


def test_file_without_labels_is_listed(part):
    named = {file["split"]: file["path"].rpartition("/")[2] for file in part.data["files"]}
    assert named == {"train": "data.csv", "unlabelled": "more.csv"}
    listed = part.documents["croissant.json"]["distribution"]
    assert [one["name"] for one in listed] == ["data.csv", "more.csv"]


@pytest.fixture
def described(tmp_path):
    """Return what describes the metadata of a run without files, by what is stated of its data."""

    def describe(**stated) -> dict:
        view = finished_runs.classes(tmp_path / "run", ["no", "yes"])
        about = About({f"data.{name}": value for name, value in stated.items()})
        subject = Subject(view, about, tmp_path, reason="-")
        return data_card.part(subject).documents["croissant.json"]

    return describe


def test_required_properties_that_are_stated_are_written(described, tmp_path):
    stated = {"author": "Ann Example", "released": "2026-11-30", "version": "1.0.0"}
    found = described(**stated, download="https://example.org/data", citation="We.", license="MIT")
    path = tmp_path / "croissant.json"
    path.write_text(json.dumps(found))
    metadata = mlcroissant.Dataset(jsonld=path).metadata
    assert not metadata.ctx.issues.errors
    assert not metadata.ctx.issues.warnings
    assert [one.name for one in metadata.creators] == ["Ann Example"]
    assert metadata.date_published.date().isoformat() == "2026-11-30"
    assert metadata.url == "https://example.org/data"


def test_source_is_the_address_only_if_it_is_one(described):
    assert described(source="https://example.org")["url"] == "https://example.org"
    assert "url" not in described(source="a survey of 2026")


def test_changed_file_is_refused_by_its_hash(part, tmp_path):
    path = write(part, tmp_path)
    (tmp_path / "data.csv").write_text("comment,verdict\nother,no\n")
    with pytest.raises(Exception, match=r"Download\(file-0\)"):
        read_rows(path)


def test_card_says_what_it_lacks(part):
    (reason,) = [shown for shown in part.shown if shown.kind == "missing"]
    assert (reason.what, reason.reason) == ("Lengths and near-duplicates", "not wanted.")
    assert part.data["splits"]["train"] == {"examples": 60}
    assert part.data["source"]["license"] == "CC-BY-4.0"


def test_one_text_that_splits_share_is_counted_in_the_singular():
    overlap = {"in_train_and_test": 1, "test_nearly_in_train": 2}
    (notice,) = data_card._overlap(overlap)
    assert notice.text == (
        "1 text of test is also in train or validation; 2 texts of test nearly repeat one of train."
    )
