"""The verb `dossier`: a complete one, an incomplete one, and what it refuses."""

import json
import shutil
import sys

import mlcroissant
import pytest
import yaml

from ftkeras.dossiers import about, writing
from tests.running import call_ftkeras, succeed

KINDS = {
    "": "This is stated.",
    "null": True,
    "~": 50,
    about.DAY: "2026-11-30",
    about.ADDRESS: "https://example.org",
}


def full_about() -> dict:
    """Return an about.yaml in which everything is stated."""
    content: dict = {}
    for key, value in about.keys().items():
        section, _, name = key.rpartition(".")
        filled = KINDS.get(str(value), ["One.", "Two."])
        if section:
            content.setdefault(section, {})[name] = filled
        else:
            content[name] = filled
    content["use"] = dict.fromkeys(content["use"], False)
    for section in ("system", "data", "encoder", "code"):
        content[section]["license"] = "Apache-2.0"
    return content


@pytest.fixture(scope="module")
def dossier(finished_run, tmp_path_factory):
    """Return a complete dossier of a copy of the finished run, and what was shown."""
    home = tmp_path_factory.mktemp("dossier")
    shutil.copytree(finished_run, home / "finished_run")
    (home / "about.yaml").write_text(yaml.safe_dump(full_about()))
    shown = succeed(
        "dossier",
        "--run_dir=finished_run/run",
        "--about=about.yaml",
        "--output=out",
        "--license_policy=conflicts",
        cwd=home,
    )
    return home / "out", shown


def part(dossier, name: str) -> dict:
    return json.loads((dossier[0] / f"{name}.json").read_text(encoding="utf-8"))


def test_every_part_has_a_file_and_a_section(dossier):
    folder, shown = dossier
    assert shown.endswith("dossier out/index.html\n")
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "not legal advice" in page
    for name in ("checklist", *writing.NAMES):
        assert (folder / f"{name}.json").is_file()
        assert f'id="{name.replace("_", "-")}"' in page


def test_exchanged_words_and_texts_of_another_kind_are_measured(dossier):
    rewritten = {one["name"]: one for one in part(dossier, "robustness")["rewritten"]}
    assert rewritten["negation"]["texts"] >= 20
    assert 0 < rewritten["negation"]["share"] < 1
    exchanged = part(dossier, "counterfactuals")
    named = {one["name"] for one in exchanged["dimensions"]}
    assert {"gender", "name", "dialect", "register", "Scottish English"} < named
    counts = {one["name"]: one["texts"] for one in exchanged["dimensions"]}
    assert set(exchanged["compared"]) == {name for name in counts if counts[name] >= 20}
    assert set(exchanged["sources"]) == {name for name in named if name.endswith("English")}
    scores = part(dossier, "foreign")["scores"]
    areas = {one["score"]: one["auc"] for one in scores if one["kind"] == "other topics"}
    assert areas["Mahalanobis distance"] > 0.9
    assert set(areas) == {"maximum probability", "energy", "Mahalanobis distance"}


def test_data_card_has_every_file_and_split(dossier):
    data = part(dossier, "data")
    assert {file["split"] for file in data["files"]} == {"train", "validation", "test"}
    assert all(len(file["sha256"]) == 64 for file in data["files"])
    assert data["splits"]["train"]["examples"] == 200
    assert sum(data["splits"]["test"]["labels"].values()) == 60
    assert data["splits"]["train"]["tokens"]["longest"] > 4
    assert data["source"]["languages"] == ["One.", "Two."]
    assert data["overlap"]["in_train_and_test"] == 0


def test_croissant_is_valid(dossier):
    found = mlcroissant.Dataset(jsonld=dossier[0] / "croissant.json")
    assert not found.metadata.ctx.issues.errors
    assert found.metadata.name == "This is stated."
    objects = {one.name: one for one in found.metadata.distribution}
    assert {"train.tsv", "validation.tsv", "test.tsv"} <= set(objects)


def test_metrics_are_those_of_the_run(dossier, finished_run):
    recorded = json.loads((finished_run / "run" / "metrics.json").read_text())["test"]
    found = part(dossier, "evaluation")
    assert found["metrics"]["accuracy"] == pytest.approx(recorded["accuracy"])
    low, high = found["intervals"]["accuracy"]
    assert low <= found["metrics"]["accuracy"] <= high


def test_checklist_names_what_answers_a_clause(dossier):
    clauses = {one["id"]: one for one in part(dossier, "checklist")["nist_ai_rmf"]["clauses"]}
    assert clauses["MEASURE 2.1"]["status"] == "shown"
    assert "data.json: files" in clauses["MEASURE 2.1"]["by"]
    assert clauses["MEASURE 2.4"]["status"] == "stated"


def test_missing_clauses_block_a_release(copy_of_finished_run):
    flags = ("--run_dir=run", "--require=hugging_face_card", "--notexts")
    done = call_ftkeras("dossier", *flags, cwd=copy_of_finished_run)
    assert done.returncode == 3
    missing = "1 required clause is missing: hugging_face_card license (about.system.license or "
    assert missing in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    folder = copy_of_finished_run / "run" / "dossier"
    assert "written with texts=false" in (folder / "index.html").read_text(encoding="utf-8")
    assert json.loads((folder / "checklist.json").read_text())["required"] == ["hugging_face_card"]


def test_license_blocks_a_release(copy_of_finished_run):
    (copy_of_finished_run / "about.yaml").write_text(
        "use: {commercial: yes}\ndata: {license: CC-BY-NC-4.0}\n"
    )
    flags = ("--run_dir=run", "--about=about.yaml", "--license_policy=conflicts", "--notexts")
    done = call_ftkeras("dossier", *flags, cwd=copy_of_finished_run)
    assert done.returncode == 3
    assert "CC-BY-NC-4.0 forbids commercial use" in done.stderr
    assert "warning" not in done.stderr
    done = call_ftkeras("dossier", *flags[:2], "--notexts", cwd=copy_of_finished_run)
    assert done.returncode == 0
    assert done.stderr.startswith("warning: 1 license conflict with the stated use: data ")
    assert len(done.stderr.splitlines()) == 1


def test_template_is_written_once(tmp_path):
    assert "about.yaml" in succeed("dossier", "--template=about.yaml", cwd=tmp_path)
    assert (tmp_path / "about.yaml").read_text(encoding="utf-8") == about.template()
    done = call_ftkeras("dossier", "--template=about.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "--template=about.yaml exists" in done.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ((), "dossier needs --run_dir"),
        (("--run_dir=.",), "is not the folder of a run"),
        (("--run_dir=run", "--require=gdpr"), "there is no such list of clauses"),
        (("--run_dir=run", "--require=nist_ai_rmf", "--require=nist_ai_rmf"), "names a list twice"),
        (("--run_dir=run", "--about=none.yaml"), "--about=none.yaml can't be read"),
        (("--run_dir=run", "--license_policy=none"), "there is no such policy"),
        (("--run_dir=run", "--output=run"), "is no dossier; name another folder"),
    ],
)
def test_mistakes_leave_nothing_behind(copy_of_finished_run, flags, message):
    before = sorted(copy_of_finished_run.rglob("*"))
    done = call_ftkeras("dossier", *flags, cwd=copy_of_finished_run)
    assert done.returncode == 2
    assert message in done.stderr
    assert sorted(copy_of_finished_run.rglob("*")) == before


def test_log_that_cannot_be_written_is_refused_before_anything_is_done(copy_of_finished_run):
    log = copy_of_finished_run / "run" / "audit.jsonl"
    log.unlink()
    log.mkdir()  # which not even root can write to
    done = call_ftkeras("dossier", "--run_dir=run", "--output=out", cwd=copy_of_finished_run)
    assert done.returncode == 2
    assert "--run_dir=run: audit.jsonl can't be written (Is a directory)" in done.stderr
    assert not (copy_of_finished_run / "out").exists()


def test_earlier_dossier_stays_if_writing_fails(copy_of_finished_run, monkeypatch):
    flags = ("dossier", "--run_dir=run", "--notexts")
    succeed(*flags, cwd=copy_of_finished_run)
    folder = copy_of_finished_run / "run"
    before = sorted(folder.rglob("*"))

    def fails(*_):
        raise OSError(28, "No space left on device", "index.html")

    monkeypatch.setattr(writing, "_html", fails)
    assert call_ftkeras(*flags, cwd=copy_of_finished_run).returncode == 2
    assert sorted(folder.rglob("*")) == before


def test_without_license_expression_the_part_says_what_to_install(
    copy_of_finished_run, monkeypatch
):
    from ftkeras.dossiers import license_terms

    license_terms._licensing.cache_clear()
    monkeypatch.setitem(sys.modules, "license_expression", None)
    succeed("dossier", "--run_dir=run", "--notexts", cwd=copy_of_finished_run)
    found = json.loads((copy_of_finished_run / "run" / "dossier" / "licenses.json").read_text())
    assert "pip install 'ftkeras[dossier]'" in found["missing"]


def test_model_that_has_learned_does_not_give_away_its_texts(dossier):
    found = part(dossier, "memorization")["membership"]
    assert found["auc_interval"][0] < 0.55 < found["auc_interval"][1]
    recorded = part(dossier, "evaluation")["recorded"]
    assert found["mean_loss"]["test"] == pytest.approx(recorded["loss"], rel=1e-4)


def test_column_that_is_not_there_is_refused(copy_of_finished_run):
    done = call_ftkeras("dossier", "--run_dir=run", "--groups=age", cwd=copy_of_finished_run)
    assert done.returncode == 2
    assert "--groups=age can't be compared" in done.stderr
    assert not (copy_of_finished_run / "run" / "dossier").exists()


def test_texts_and_samples_are_searched_for_personal_data(dossier):
    found = part(dossier, "personal_data")
    searched = {"train": 200, "validation": 100, "test": 60, "samples": 60, "vocabulary": 421}
    assert found["searched"] == searched
    assert all(count["texts"] == 0 for count in found["kinds"].values())
