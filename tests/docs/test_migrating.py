"""The journeys of docs/migrating.md: the table counts their lines, and ours run."""

import importlib.util
import itertools
import pathlib
import re
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
JOURNEYS = ("a label", "predict", "several labels", "a number", "LoRA")
LIBRARIES = {
    "ftkeras": "ours",
    "Trainer": "trainer",
    "KerasHub": "kerashub",
    "ktrain": "ktrain",
    "AutoGluon": "autogluon",
    "SetFit": "setfit",
    "simpletransformers": "simpletransformers",
}


def _script():
    spec = importlib.util.spec_from_file_location("journeys", ROOT / "benchmarks" / "journeys.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = _script()


def _lines(code):
    return len([line for line in code.splitlines() if line.strip()])


def test_table_counts_the_lines():
    page = (ROOT / "docs" / "migrating.md").read_text()
    rows = re.findall(r"^\| (\w+) \| (\S+) \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|$", page, re.M)
    counted = []
    for name, file in LIBRARIES.items():
        code = SCRIPT.cells(file)
        counts = [str(_lines(code[one])) if one in code else "–" for one in JOURNEYS]
        counted.append((name, *counts))
    assert [row for row in rows if row[0] in LIBRARIES] == counted


@pytest.mark.parametrize("file", LIBRARIES.values())
def test_code_is_python(file):
    for journey, code in SCRIPT.cells(file).items():
        compile(code, f"{file}: {journey}", "exec")


def test_measures():
    assert SCRIPT.accuracy(["good", "bad", "bad"], ["good", "bad", "good"]) == pytest.approx(2 / 3)
    assert SCRIPT.micro_f1([["joy"], [], ["joy", "fear"]], ["joy", "fear", "fear"]) == 2 / 3
    # Of joy, the F1 is 1; of fear, 2 of 3 decisions are right.
    assert SCRIPT.macro_f1([["joy"], [], ["fear"]], ["joy", "fear", "fear"]) == (1 + 2 / 3) / 2
    assert SCRIPT.spearman([0.1, 0.5, 0.3], [1.0, 5.0, 3.0]) == pytest.approx(1)


THINGS = "film plot cast music ending story dialogue humor pacing script"
MOODS = {"good": "charming superb clever funny fresh", "bad": "dull weak silly awful boring"}
ROWS = [
    (f"The {thing} was {word}.", mood)
    for mood, words in MOODS.items()
    for thing, word in itertools.product(THINGS.split(), words.split())
]
ANSWERS = {"a label": str, "several labels": "{},all".format, "LoRA": str}
ANSWERS["a number"] = {"good": 4.5, "bad": 1.5}.get


@pytest.mark.matrix
@pytest.mark.parametrize("journey", ANSWERS)
def test_our_journey_runs(journey, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    rows = [(text, ANSWERS[journey](mood)) for text, mood in ROWS]
    encoder = "bert(layers=1, hidden=16, heads=2, vocabulary='reviews')"
    folder = tmp_path / "journey"
    result = SCRIPT.run("ours", journey, sys.executable, encoder, folder, (rows, rows))
    (measure, *_) = SCRIPT.MEASURES[SCRIPT.READS[journey]][1]
    assert result.get(measure.__name__, 0) > 0.4, result
    if journey == "a label":
        assert "Worth every minute." in (folder / "predict.log").read_text()
