"""The journeys of docs/migrating.md: the table counts their lines, and ours run."""

import itertools
import pathlib
import re

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


def _code(file):
    """Return the code of each journey in a library's file."""
    text = (ROOT / "benchmarks" / "journeys" / f"{file}.py").read_text()
    found = {}
    for part in text.split("# %% ")[1:]:
        title, _, code = part.partition("\n")
        found[next(name for name in JOURNEYS if title.startswith(name))] = code
    return found


def _lines(code):
    return len([line for line in code.splitlines() if line.strip()])


def test_table_counts_the_lines():
    page = (ROOT / "docs" / "migrating.md").read_text()
    rows = re.findall(r"^\| (\w+) \| (\S+) \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|$", page, re.M)
    counted = []
    for name, file in LIBRARIES.items():
        code = _code(file)
        counts = [str(_lines(code[one])) if one in code else "–" for one in JOURNEYS]
        counted.append((name, *counts))
    assert [row for row in rows if row[0] in LIBRARIES] == counted


@pytest.mark.parametrize("file", LIBRARIES.values())
def test_code_is_python(file):
    for journey, code in _code(file).items():
        compile(code, f"{file}: {journey}", "exec")


@pytest.mark.matrix
def test_our_journeys_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    things = [
        "film",
        "plot",
        "cast",
        "music",
        "ending",
        "story",
        "dialogue",
        "humor",
        "pacing",
        "script",
    ]
    moods = {"good": "charming superb clever funny fresh", "bad": "dull weak silly awful boring"}
    rows = [
        (f"The {thing} was {word}.", mood)
        for mood, words in moods.items()
        for thing, word in itertools.product(things, words.split())
    ]
    tables = {
        "reviews.csv": ("text,label", rows),
        "feedback.csv": ("text,label", [(text, f"{mood},all") for text, mood in rows]),
        "ratings.csv": ("text,label", [(text, 1.5 + 3 * (mood == "good")) for text, mood in rows]),
    }
    for name, (header, cells) in tables.items():
        lines = [header, *(f'"{text}","{answer}"' for text, answer in cells)]
        pathlib.Path(name).write_text("\n".join(lines) + "\n")
    encoder = "bert(layers=1, hidden=16, heads=2, vocabulary='reviews')"
    for code in _code("ours").values():
        exec(compile(code, "ours.py", "exec"), {"ENCODER": encoder})
    assert "Worth every minute." in capsys.readouterr().out
