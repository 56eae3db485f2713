"""An auditor's test: one changed byte of the weights, of a training file, or one license shows."""

import functools
import json
import pathlib
from types import SimpleNamespace

import pytest

from ftkeras.checkpoints import hub_upload
from ftkeras.dossiers import integrity
from ftkeras.dossiers.part import Part
from ftkeras.errors import UserError
from ftkeras.exporters.saved_model import SavedModel
from ftkeras.runs import audit, inputs, layout, signing
from ftkeras.serving import startup
from ftkeras.support import hashes
from tests import finished
from tests.running import call_ftkeras, succeed
from tests.runs import keys

SERVED = {"batching": "none", "labels": {}, "timeout": 5.0, "max_batch_bytes": 1024}


def flip(path: pathlib.Path, at: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(bytes(content))


def dossier(folder: pathlib.Path, *flags: str, run: str = "run") -> dict:
    succeed("dossier", f"--run_dir={run}", "--notexts", *flags, cwd=folder)
    return json.loads((folder / run / "dossier" / "integrity.json").read_text())


def test_untouched_run_has_no_changes(copy_of_finished_run):
    found = dossier(copy_of_finished_run)
    assert found["changes"] == []
    assert found["files"][layout.WEIGHTS] == found["found"][layout.WEIGHTS]
    assert [entry["event"] for entry in found["audit_log"]] == ["trained"]
    assert len(found["exports"]) == 2
    assert all(one["recorded"] for one in found["exports"])
    again = dossier(copy_of_finished_run)
    assert [entry["event"] for entry in again["audit_log"]] == ["trained", "dossier"]


def test_byte_of_the_weights(copy_of_finished_run):
    flip(copy_of_finished_run / "run" / layout.WEIGHTS)
    done = call_ftkeras(
        *("dossier", "--run_dir=run", "--notexts", "--require=eu_ai_act_annex_iv"),
        cwd=copy_of_finished_run,
    )
    assert done.returncode == 3
    assert "warning: weights.safetensors is changed since the training\n" in done.stderr
    found = json.loads((copy_of_finished_run / "run" / "dossier" / "integrity.json").read_text())
    assert found["changes"] == ["weights.safetensors is changed since the training"]
    assert found["files"] is None  # so that the clauses that need it are missing


def test_byte_of_an_export(copy_of_finished_run):
    data = next(copy_of_finished_run.glob("saved_models/quickstart/1/variables/*data*"))
    flip(data, at=200)
    (change,) = dossier(copy_of_finished_run)["changes"]
    assert change.endswith(f"variables/{data.name} is changed")


def export_anew(folder: pathlib.Path, verb: str, *flags: str) -> None:
    """Replace the Hugging Face export by one with another model card."""
    metrics = folder / "run" / layout.METRICS
    metrics.write_text(metrics.read_text().replace('"accuracy": 0.9', '"accuracy": 0.8'))
    card = folder / "run" / "huggingface" / "README.md"
    before = card.read_text()
    call_ftkeras(verb, f"--run_dir={folder / 'run'}", *flags, cwd=folder)
    assert card.read_text() != before


def test_export_that_push_replaces_is_no_change(copy_of_finished_run, monkeypatch):
    monkeypatch.setattr(hub_upload, "require_token", lambda: None)
    monkeypatch.setattr(hub_upload, "upload", lambda folder, repo, private: repo)
    export_anew(copy_of_finished_run, "push", "--repo=me/reviews")
    found = dossier(copy_of_finished_run)
    assert found["changes"] == []
    assert [entry["event"] for entry in found["audit_log"]] == ["trained", "exported", "pushed"]


def test_export_before_one_that_fails_is_no_change(copy_of_finished_run, monkeypatch):
    def fails(exporter):
        raise UserError("the disk is full")

    monkeypatch.setattr(SavedModel, "write", fails)
    export_anew(copy_of_finished_run, "export", "--export=huggingface", "--export=saved_model")
    assert dossier(copy_of_finished_run)["changes"] == []


@pytest.mark.process
def test_byte_of_a_training_file(tmp_path):
    labels = ("no", "yes")
    rows = [f"text {n} is {labels[n % 2]},{labels[n % 2]}" for n in range(40)]
    (tmp_path / "data.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    succeed(
        *("train", "data.csv", f"--encoder={finished.ENCODER}", "--epochs=1", "--run_dir=run"),
        *(
            "--export=none",
            "--noreport",
            "--max_length=64",
            "--validation_share=0.2",
            "--test_share=0.2",
        ),
        cwd=tmp_path,
    )
    assert dossier(tmp_path)["changes"] == []
    flip(tmp_path / "data.csv", at=15)
    (change,) = dossier(tmp_path)["changes"]
    assert change.endswith("data.csv is changed since the training")
    (tmp_path / "data.csv").unlink()
    (change,) = dossier(tmp_path)["changes"]
    assert change.endswith("data.csv is missing since the training")


def test_byte_of_a_file_without_labels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    more = pathlib.Path("more.txt")
    more.write_text("a text\n")
    inputs.write(tmp_path, {"pairs": False, "unlabelled": inputs.digests([str(more)])})
    audit.append(tmp_path, "trained", {"files": {}})

    def changes() -> list[str]:
        data = Part("data", "", {}, [])
        return integrity._since_training(audit.read(tmp_path), {}, data, tmp_path)

    assert changes() == []
    flip(more)
    assert changes() == ["more.txt is changed since the training"]
    more.unlink()
    assert changes() == ["more.txt is missing since the training"]


def test_license(copy_of_finished_run):
    about = copy_of_finished_run / "about.yaml"
    about.write_text("data: {license: CC-BY-4.0}\n")
    assert dossier(copy_of_finished_run, "--about=about.yaml")["changes"] == []
    about.write_text("data: {license: CC-BY-4.0}\nencoder: {license: MIT}\n")  # unknown before
    assert dossier(copy_of_finished_run, "--about=about.yaml")["changes"] == []
    about.write_text("data: {license: CC-BY-NC-4.0}\nencoder: {license: MIT}\n")
    found = dossier(copy_of_finished_run, "--about=about.yaml")
    text = "the license of the data was CC-BY-4.0 in the last dossier, and is CC-BY-NC-4.0"
    assert found["changes"] == [text]
    assert found["files"] is not None  # they have not changed, so their clauses are answered
    assert f"T{text[1:]}." in (copy_of_finished_run / "run/dossier/index.html").read_text()


def test_entry_of_the_audit_log(copy_of_finished_run):
    dossier(copy_of_finished_run)
    path = copy_of_finished_run / "run" / layout.AUDIT_LOG
    path.write_text(path.read_text().replace('"event": "trained"', '"event": "Trained"'))
    found = dossier(copy_of_finished_run)
    assert "changed or missing" in found["changes"][0]
    assert found["audit_log"] is None


@pytest.mark.matrix
def test_last_entry_of_the_audit_log_since_the_last_dossier(copy_of_finished_run):
    path = copy_of_finished_run / "run" / layout.AUDIT_LOG
    dossier(copy_of_finished_run)
    path.write_text(path.read_text().splitlines()[0].replace("trained", "exported") + "\n")
    found = dossier(copy_of_finished_run)
    assert "audit.jsonl is changed or missing since the last dossier" in found["changes"][0]
    assert found["audit_log"] is None


def test_console_names_the_first_changes(copy_of_finished_run):
    export = copy_of_finished_run / "saved_models" / "quickstart" / "1"
    for number in range(5):
        (export / f"new_{number}").touch()
    done = call_ftkeras("dossier", "--run_dir=run", "--notexts", cwd=copy_of_finished_run)
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert [line.split("/")[-1] for line in lines[:3]] == [
        f"1: new_{number} is new" for number in range(3)
    ]
    assert lines[3:] == ["warning: and 2 more"]


def test_key_is_checked_before_anything(copy_of_finished_run, tmp_path):
    private, public = keys.make(tmp_path)
    dossier(copy_of_finished_run, f"--sign={private}")
    before = {path: path.read_bytes() for path in copy_of_finished_run.rglob("model.sig")}
    assert before
    log = (copy_of_finished_run / "run" / layout.AUDIT_LOG).read_bytes()
    flags = ("--run_dir=run", "--notexts", f"--sign={public}")
    done = call_ftkeras("dossier", *flags, cwd=copy_of_finished_run)
    assert done.returncode == 2
    assert "key.pub must name a PEM file with a private key" in done.stderr
    assert all(path.read_bytes() == content for path, content in before.items())
    assert (copy_of_finished_run / "run" / layout.AUDIT_LOG).read_bytes() == log


def test_signed_export_is_served_until_it_changes(copy_of_finished_run, tmp_path, monkeypatch):
    private, public = keys.make(tmp_path)
    folder = copy_of_finished_run / "saved_models" / "quickstart"
    check = functools.partial(signing.verify, public_key=public)
    with pytest.raises(UserError, match=r"it has no model\.sig"):
        startup.build_service("m", folder, **SERVED, check=check)
    found = dossier(copy_of_finished_run, f"--sign={private}")
    assert found["changes"] == []
    assert all(one["signed"] for one in found["exports"])
    service = startup.build_service("m", folder, **SERVED, check=check)
    assert service.versions.available() == [1]
    monkeypatch.chdir(folder.parent)
    relative = pathlib.Path(folder.name)
    service = startup.build_service("m", relative, **SERVED, check=check)
    assert service.versions.available() == [1]
    flip(folder / "1" / "saved_model.pb")
    with pytest.raises(UserError, match=r"is not what the owner of .*: saved_model\.pb is changed"):
        startup.build_service("m", folder, **SERVED, check=check)


def test_changed_export_is_not_signed(copy_of_finished_run, tmp_path):
    private, _ = keys.make(tmp_path)
    export = copy_of_finished_run / "saved_models" / "quickstart" / "1"
    flip(export / "saved_model.pb")
    (export / layout.EXPORT_RECORD).write_text("{}")  # the audit log has its hashes, too
    flags = ("--run_dir=run", "--notexts", f"--sign={private}")
    done = call_ftkeras("dossier", *flags, cwd=copy_of_finished_run)
    assert done.returncode == 2
    assert "saved_model.pb is changed" in done.stderr


@pytest.mark.parametrize(
    ("record", "message"),
    [("{}", "were not recorded"), ('{"files": {}}', "model.bin is new")],
    ids=["none", "empty"],
)
def test_export_whose_hashes_are_gone_is_not_signed(tmp_path, record, message):
    private, _ = keys.make(tmp_path)
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "model.bin").touch()
    (tmp_path / "export" / layout.EXPORT_RECORD).write_text(record)
    run = SimpleNamespace(folder=tmp_path, view=SimpleNamespace(exports=[tmp_path / "export"]))
    with pytest.raises(UserError, match=message):
        integrity.sign(run, str(private))
    assert not list(tmp_path.rglob("model.sig"))


def test_server_without_the_key_file_does_not_start(copy_of_finished_run):
    flags = ("--model=saved_models/quickstart", "--require_signature=none.pub")
    done = call_ftkeras("serve", *flags, cwd=copy_of_finished_run)
    assert done.returncode == 2
    assert "--require_signature=none.pub must name a PEM file" in done.stderr


def test_change_of_one_of_many_files_shows():
    digests = {f"{number}.txt": "0" for number in range(1500)}
    before, after = hashes.condensed(digests), hashes.condensed({**digests, "7.txt": "1"})
    assert hashes.changes(before, after) == ["one of 1,500 files is changed"]
