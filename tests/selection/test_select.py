"""Test `select` on a real run, and on the predictions of a cross-validation."""

import csv
import json

import numpy as np
import pytest

import ftkeras
from ftkeras.config import flagfile
from ftkeras.config.measuring import CrossvalidateConfig
from ftkeras.errors import UserError
from ftkeras.prediction.predictor import Predictor
from ftkeras.runs import layout
from tests.running import call_ftkeras, succeed

TEXTS = (
    *("a wonderful film", "dull and boring", "", "it is not bad", "a wonderful film"),
    *("the music was terrible , and yet i loved it", "i knew nothing of it", "superb"),
)
ONCE = [text for text in dict.fromkeys(TEXTS) if text]


@pytest.fixture
def pool(tmp_path):
    """Return a table of texts, two of them equal and one empty."""
    with (tmp_path / "pool.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "text"), *enumerate(TEXTS)])
    return tmp_path


def _probabilities(finished_run) -> dict[str, float]:
    """Return the probability of positive that the run's export gives each text."""
    folder = next((finished_run / "saved_models" / "quickstart").glob("[0-9]*"))
    rows = Predictor(folder).outputs(ONCE)
    return {text: row["probabilities"][1] for text, row in zip(ONCE, rows, strict=True)}


def _rows(path) -> list[dict]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    return list(csv.DictReader(path.open()))


def _select(finished_run, pool, *arguments) -> str:
    own = (f"--run_dir={finished_run / 'run'}", "--data=pool.csv")
    return succeed("select", *own, *arguments, cwd=pool)


@pytest.mark.parametrize("by", ["entropy", "margin"])
def test_the_least_certain_texts_come_first(by, finished_run, pool):
    shown = _select(finished_run, pool, f"--by={by}", "--count=4", "--output=next.csv")
    assert "note: 1 empty text of pool.csv left out" in shown
    assert "note: 1 repeated text of pool.csv left out" in shown
    assert "4 of 6 texts" in shown
    p = _probabilities(finished_run)
    expected = sorted(ONCE, key=lambda text: abs(p[text] - 0.5))[:4]
    rows = _rows(pool / "next.csv")
    assert [row["text"] for row in rows] == expected
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4"]
    for row in rows:
        assert TEXTS[int(row["id"])] == row["text"]
        q = p[row["text"]]
        assert float(row["margin"]) == pytest.approx(abs(2 * q - 1), abs=1e-5)
        entropy = -q * np.log(q) - (1 - q) * np.log(1 - q)
        assert float(row["entropy"]) == pytest.approx(entropy, abs=1e-5)
        assert f"{max(q, 1 - q):.2f}" in row["reason"]


def test_without_a_file_it_shows_reasons_and_texts(finished_run, pool):
    lines = _select(finished_run, pool, "--count=2").splitlines()[-2:]
    assert all(line.startswith("entropy 0.") and "\t" in line for line in lines)


def test_diverse_texts_differ_and_depend_on_the_seed_alone(finished_run, pool):
    for name, seed in (("a", 1), ("b", 1)):
        settings = (f"--seed={seed}", f"--output={name}.jsonl", "--count=5", "--by=diverse")
        _select(finished_run, pool, *settings)
    rows = _rows(pool / "a.jsonl")
    assert rows == _rows(pool / "b.jsonl")
    assert len({row["text"] for row in rows}) == len(rows) == 5
    p = _probabilities(finished_run)
    assert rows[0]["reason"].startswith("the longest gradient: ")
    assert rows[1]["reason"].startswith("far from those before: ")
    assert rows[0]["margin"] == pytest.approx(abs(2 * p[rows[0]["text"]] - 1), abs=1e-5)


def test_python_returns_what_the_file_holds(finished_run, pool, folds):
    found = ftkeras.select(finished_run / "run", pool / "pool.csv", count=3, by="margin", verbose=0)
    _select(finished_run, pool, "--by=margin", "--count=3", "--output=next.jsonl")
    rows = _rows(pool / "next.jsonl")
    assert [row["text"] for row in found] == [row["text"] for row in rows]
    assert found == [{**row, "margin": pytest.approx(row["margin"])} for row in rows]
    doubtful = ftkeras.select(folds, doubtful=True, verbose=0)
    assert [row["line"] for row in doubtful] == [5, 8]
    with pytest.raises(TypeError, match="cuont"):
        ftkeras.select(folds, doubtful=True, cuont=3)


@pytest.mark.parametrize("form", ["DataFrame", "dicts", "columns", "Series", "texts"])
def test_texts_may_be_in_memory(form, finished_run, pool):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"id": range(len(TEXTS)), "text": TEXTS})
    data = {
        "DataFrame": frame,
        "dicts": frame.to_dict("records"),
        "columns": frame.to_dict("list"),
        "Series": frame.rename(columns={"text": "title"})["title"],
        "texts": list(TEXTS),
    }[form]
    before = sorted(finished_run.rglob("*"))
    found = ftkeras.select(finished_run / "run", data, count=3, verbose=0)
    assert sorted(finished_run.rglob("*")) == before
    expected = ftkeras.select(finished_run / "run", pool / "pool.csv", count=3, verbose=0)
    if form in ("Series", "texts"):
        name = "title" if form == "Series" else "text"
        expected = [{name: row.pop("text"), **row} for row in expected]
        for row in expected:
            del row["id"]
    assert found == [row | ({"id": int(row["id"])} if "id" in row else {}) for row in expected]


def test_wrong_texts_in_memory_are_refused(finished_run, folds):
    run = finished_run / "run"
    with pytest.raises(UserError, match="`data` has no examples"):
        ftkeras.select(run, [], verbose=0)
    with pytest.raises(UserError, match="`data` must be files, a DataFrame"):
        ftkeras.select(run, 3, verbose=0)
    with pytest.raises(UserError, match="`by` must be entropy"):
        ftkeras.select(run, ["a film"], by="luck", verbose=0)
    with pytest.raises(UserError, match="`doubtful` reads the data of"):
        ftkeras.select(folds, ["a film"], doubtful=True, verbose=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data=pool.csv"], "select needs --run_dir"),
        (["--run_dir=."], "select needs --data"),
        (["--run_dir=.", "--data=pool.csv"], "--run_dir=. is not the folder of a run"),
        (["--run_dir=RUN", "--data=nowhere.csv"], "--data=nowhere.csv: "),
        (["--run_dir=RUN", "--data=pool.csv", "--output=x.txt"], "--output must end in .csv"),
        (["--run_dir=RUN", "--data=pool.csv", "--output=pool.csv"], "--output=pool.csv is the"),
        (["--run_dir=RUN", "--data=pool.csv", "--by=luck"], "--by must be entropy, margin or"),
        (["--run_dir=RUN", "--data=pool.csv", "--count=0"], "--count must be at least 1"),
        (["--run_dir=RUN", "--doubtful"], "is not the folder of a finished cross-validation"),
        (["--run_dir=RUN", "--doubtful", "--data=pool.csv"], "--doubtful reads the data of"),
        (["--run_dir=RUN", "--data=empty.txt"], "--data=empty.txt has no text"),
    ],
)
def test_bad_input_is_one_line(arguments, message, finished_run, pool):
    (pool / "empty.txt").write_text("\n\n")
    given = [argument.replace("RUN", str(finished_run / "run")) for argument in arguments]
    done = call_ftkeras("select", *given, cwd=pool)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (pool / "x.txt").exists()


def test_a_run_without_probabilities_is_refused(copy_of_finished_run, pool):
    folder = copy_of_finished_run / "run"
    state = {"problem": "regression", "scale": "standard", "mean": [0.0], "sd": [1.0]}
    (folder / "problem.json").write_text(json.dumps(state))
    (folder / "labels.json").write_text(json.dumps(["score"]))
    done = call_ftkeras("select", f"--run_dir={folder}", "--data=pool.csv", cwd=pool)
    assert done.returncode == 2
    assert "a text regression model has no probabilities" in done.stderr


@pytest.fixture
def folds(tmp_path):
    """Return the folder of a cross-validation, of which only the predictions matter here."""
    rows = [(f"text {n}", ("bad", "good")[n % 2], f"shop {n}") for n in range(10)]
    with (tmp_path / "data.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label", "source"), *rows])
    home = tmp_path / "folds"
    (home / "repeat-0" / "fold-0").mkdir(parents=True)
    (home / "repeat-0" / "fold-0" / layout.LABELS).write_text(json.dumps(["bad", "good"]))
    config = CrossvalidateConfig(data=(str(tmp_path / "data.csv"),), folds=2, repeats=2)
    (home / layout.CROSSVALIDATION_SETTINGS).write_text(flagfile.render(config))
    lines = []
    for repeat in (0, 1):
        for n, (_, label, _) in enumerate(rows):
            good = 0.8 if label == "good" else 0.2
            # The models disagree with two labels in both repeats, and with that of text 8 in one.
            unusual = {3: (0.1, 0.2), 6: (0.9, 0.8), 8: (0.9, 0.0)}
            good = unusual[n][repeat] if n in unusual else good
            p = [round(1 - good, 7), good]
            about = {"repeat": repeat, "fold": n % 2, "id": f"validation-{n}"}
            lines.append(json.dumps({**about, "label": label, "probabilities": p}))
    (home / layout.OUT_OF_FOLD_PREDICTIONS).write_text("\n".join(lines) + "\n")
    return home


def test_doubtful_labels_come_with_their_texts(folds):
    shown = succeed(
        *("select", "--doubtful", f"--run_dir={folds}", "--output=doubtful.csv"), cwd=folds.parent
    )
    assert "2 of 10 examples have a doubtful label, 20.0%" in shown
    rows = _rows(folds.parent / "doubtful.csv")
    # The first line has the names of the columns. No column of the file is lost.
    lines = (folds.parent / "data.csv").read_text(encoding="utf-8").splitlines()
    for row, text in zip(rows, ("text 3", "text 6"), strict=True):
        assert (row["text"], row["source"]) == (text, text.replace("text", "shop"))
        assert lines[int(row["line"]) - 1].startswith(f"{text},")
        assert row["file"].endswith("data.csv")
    assert [(row["label"], row["suggested"]) for row in rows] == [("good", "bad"), ("bad", "good")]
    assert [float(row["probability_of_label"]) for row in rows] == pytest.approx([0.15, 0.15])
    assert rows[0]["reason"].startswith("good 0.15, bad 0.85, at least the 0.")
    lines = succeed("select", "--doubtful", f"--run_dir={folds}", "--count=1", cwd=folds.parent)
    assert lines.splitlines()[-1].endswith("\ttext 3")


def test_the_labelled_data_are_never_overwritten(folds):
    data = folds.parent / "data.csv"
    before, arguments = data.read_bytes(), ("select", "--doubtful", f"--run_dir={folds}")
    done = call_ftkeras(*arguments, "--output=data.csv", cwd=folds.parent)
    assert (done.returncode, data.read_bytes()) == (2, before)
    assert "--output=data.csv is the input; write another file" in done.stderr


def test_a_column_of_the_data_that_the_output_has_too_is_named_with_its_file(folds):
    data = folds.parent / "data.csv"
    data.write_text(data.read_text(encoding="utf-8").replace("source", "rank"), encoding="utf-8")
    arguments = ("--doubtful", f"--run_dir={folds}", "--output=doubtful.csv")
    done = call_ftkeras("select", *arguments, cwd=folds.parent)
    assert f"{str(data)!r} has a column 'rank', the name of a column of answers" in done.stderr


def test_labels_of_several_are_doubted_one_by_one(folds):
    (folds / "repeat-0" / "fold-0" / layout.LABELS).write_text(json.dumps(["joy", "fear"]))
    state = {"problem": "multi_label", "threshold": 0.5, "thresholds": [0.5, 0.5], "tuned_on": 0}
    (folds / "repeat-0" / "fold-0" / layout.PROBLEM).write_text(json.dumps(state))
    lines = []
    for n in range(10):
        has = [name for name, is_set in (("joy", n % 2), ("fear", n < 5)) if is_set]
        p = [0.9 if n % 2 else 0.1, 0.8 if n < 5 else 0.2]
        p = [0.1, 0.2] if n == 3 else p
        about = {"repeat": 0, "fold": n % 2, "id": f"validation-{n}", "predicted": []}
        lines.append(json.dumps({**about, "labels": has, "probabilities": p}))
    (folds / layout.OUT_OF_FOLD_PREDICTIONS).write_text("\n".join(lines) + "\n")
    succeed("select", "--doubtful", f"--run_dir={folds}", "--output=d.jsonl", cwd=folds.parent)
    rows = _rows(folds.parent / "d.jsonl")
    assert [(row["text"], row["suggested"]) for row in rows] == [
        ("text 3", "not joy"),
        ("text 3", "not fear"),
    ]
