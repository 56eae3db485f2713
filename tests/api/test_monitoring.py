"""Drift from Python."""

import json
import subprocess
import sys

import pytest

import ftkeras
from ftkeras.errors import Blocked, UserError
from tests.monitored import window, write_run


@pytest.fixture
def run(tmp_path):
    write_run(tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def statistics(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text(window(1, 300) + window(2, 300, positive=0.9))
    return path


def test_drift_is_what_the_verb_found(run, statistics, tmp_path, capsys):
    found = ftkeras.drift(run, statistics, last=1, output=tmp_path / "drift.json", verbose=0)
    assert capsys.readouterr().out == ""
    assert found.result == json.loads((tmp_path / "drift.json").read_text())
    assert found.drifted == ("labels",)
    assert found.verdict == "Drift of labels."
    tests = found.tests
    assert list(tests.index[tests["drift"]]) == ["labels"]
    assert tests.loc["labels", "observed"] == 300
    assert tests.loc["labels", "effect"] == pytest.approx(0.4, abs=0.05)
    assert repr(found).startswith("Drift: Drift of labels.\n")
    assert "DRIFT  neg " in repr(found)
    assert "-&gt;" in found._repr_html_()
    assert found._repr_html_().count("<tr>") == 5


def test_too_few_texts_have_no_p_value(run, statistics):
    found = ftkeras.drift(str(run), str(statistics), min_texts=700, verbose=0)
    assert found.drifted == ()
    assert found.tests["p_value"].isna().all()
    assert found.tests["adjusted"].isna().all()
    assert "too few" in found._repr_html_()


def test_drift_blocks_if_required(run, statistics):
    with pytest.raises(Blocked, match="Drift of labels"):
        ftkeras.drift(run, statistics, require=True, last=1, verbose=0)


def test_wrong_arguments_are_refused(run, statistics):
    with pytest.raises(UserError, match="nowhere is not the folder of a run"):
        ftkeras.drift("nowhere", statistics)
    with pytest.raises(UserError, match="`alpha` must be between"):
        ftkeras.drift(run, statistics, alpha=2)
    with pytest.raises(TypeError, match=r"drift\(\) has no argument 'alfa'"):
        ftkeras.drift(run, statistics, alfa=0.1)


@pytest.mark.process
def test_tensorflow_is_not_imported(run, statistics):
    program = (
        "import sys, ftkeras; ftkeras.drift(*sys.argv[1:]); assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, str(run), str(statistics)], check=True)
