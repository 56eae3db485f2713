"""A terminal and a locale that know ASCII only."""

import os
import re

import pytest

from tests.running import run_ftkeras

ENCODER = "bert(layers=1, hidden=16, heads=2, positions=64, vocabulary='reviews')"
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.process
def test_labels_with_accents_need_no_utf8(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name[:3] != "LC_"}
    environment |= ASCII
    rows = [f"good text {i},{'très bon' if i % 2 else 'mauvais été'}" for i in range(60)]
    (tmp_path / "avis.csv").write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    short = ["--max_length=16", "--epochs=1", "--cache_dir=none", f"--encoder={ENCODER}"]
    trained = run_ftkeras("train", "avis.csv", *short, cwd=tmp_path, env=environment)
    assert (trained.returncode, "Traceback" in trained.stderr) == (0, False), trained.stderr
    assert r"tr\xe8s bon" in trained.stdout
    done = run_ftkeras(
        *("predict", "--model=saved_models/avis", "--input=avis.csv", "--output=answers.csv"),
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert "probability_très bon" in (tmp_path / "answers.csv").read_text(encoding="utf-8")
    shown = run_ftkeras(
        "predict", "--model=saved_models/avis", "--text=été", cwd=tmp_path, env=environment
    )
    assert (shown.returncode, shown.stderr) == (0, "")
    assert re.search(r"tr\\xe8s bon|mauvais \\xe9t\\xe9", shown.stdout)
