"""The verb `report`, on the run's own data, on other data, and without what it needs."""

import json
import sys

import pytest

import ftkeras
from tests import finished
from tests.running import call_ftkeras, run_ftkeras, succeed


def test_page_is_written_without_texts(copy_of_finished_run):
    run = copy_of_finished_run / "run"
    shown = succeed("report", f"--run_dir={run}", "--notexts", cwd=copy_of_finished_run)
    assert shown == f"report  {run / 'report.html'}\n"
    text = (run / "report.html").read_text(encoding="utf-8")
    assert "the page was written with texts=false" in text
    assert json.loads((run / "report.json").read_text())["summary"]["examples"] == 60


def test_folder_without_a_run_is_refused(tmp_path):
    done = call_ftkeras("report", f"--run_dir={tmp_path}", cwd=tmp_path)
    assert done.returncode == 2
    assert "is not the folder of a run" in done.stderr


def test_without_jinja2_the_verb_says_what_to_install(copy_of_finished_run, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    done = call_ftkeras("report", f"--run_dir={copy_of_finished_run / 'run'}", cwd="/")
    assert done.returncode == 2
    assert "pip install 'ftkeras[report]'" in done.stderr


@pytest.mark.process
def test_run_writes_its_page(tmp_path):
    command = [flag for flag in finished.COMMAND if flag != "--noreport"]
    done = run_ftkeras(*command, "--run_dir=run", "--export=none", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "report  run/report.html" in done.stdout
    assert "The encoder" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    baselines = json.loads((tmp_path / "run" / "report.json").read_text())["summary"]["baselines"]
    assert baselines[0]["model"] == "this model"


@pytest.mark.process
def test_page_about_other_data_has_their_texts(copy_of_finished_run):
    run = copy_of_finished_run / "run"
    labels = [row["label"] for row in finished.predictions(run)]
    lines = map("\t".join, zip(finished.texts(run), labels, strict=True))
    data = copy_of_finished_run / "later.tsv"
    data.write_text("\n".join(["text\tlabel", *lines][:41]) + "\n", encoding="utf-8")
    path = ftkeras.report(run, str(data), verbose=0)
    assert path == run / "report-later.html"
    figures = json.loads((run / "report-later.json").read_text())
    assert figures["summary"]["examples"] == 40
    compared = figures["summary"]["baseline"]
    assert (compared["examples"], compared["train"]) == (40, finished.TRAIN)
    assert (run / "report-later" / "confusion.png").is_file()
    assert ftkeras.Run(run).report(baseline="none", verbose=0) == run / "report.html"
