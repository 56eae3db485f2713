"""A run that redacts: what it trains on, reports, records and exports."""

import csv
import json

import pytest

from tests import finished
from tests.running import call_ftkeras, succeed

GOOD, BAD = "a wonderful film, write to ann@example.org", "a terrible film, call +49 30 901820"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a folder in which a run was trained, and what it reported."""
    folder = tmp_path_factory.mktemp("redacted")
    for name in ("films", "validation", "test"):
        rows = [(f"{text} {name} {n}", text[2:6]) for n in range(16) for text in (GOOD, BAD)]
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *rows])
    output = succeed(
        *("train", "films.csv", "--validation_data=validation.csv", "--test_data=test.csv"),
        *(f"--encoder={finished.ENCODER}", "--redact=pii", "--epochs=1"),
        *("--max_length=32", "--run_dir=run", "--noreport", "--batch_size=32", "--cache_dir=none"),
        *("--export=saved_model", "--export=onnx", "--export_dir=exports"),
        cwd=folder,
    )
    return folder, output


@pytest.mark.process
def test_counts_by_kind_are_reported_and_recorded(run):
    folder, output = run
    read = json.loads((folder / "run/metrics.json").read_text())["read"]
    for split, summary in read.items():
        size = sum(summary["labels"])
        assert summary["redacted"]["email"] + summary["redacted"]["phone"] == size
        assert f"{summary['redacted']['email']} email" in output, split
    assert "redacted " in output


@pytest.mark.process
def test_samples_have_placeholders(run):
    folder, _ = run
    samples = (folder / "run/samples.jsonl").read_text()
    assert "ann@example.org" not in samples
    assert "[EMAIL]" in samples


@pytest.mark.process
def test_export_reads_what_was_trained_on(run):
    folder, _ = run
    texts = [GOOD, "a wonderful film, write to [EMAIL]", BAD, "a terrible film, call [PHONE]"]
    lines = succeed(
        *("predict", "--model=exports/films", "--json"), *(f"--text={t}" for t in texts), cwd=folder
    ).splitlines()
    found = [json.loads(line)["probabilities"] for line in lines]
    assert found[0] == found[1]
    assert found[2] == found[3]
    assert found[0] != found[2]


@pytest.mark.process
def test_exports_say_what_is_redacted(run):
    folder, output = run
    rules = json.loads((folder / "exports/films/1/export.json").read_text())["redaction"]
    assert next(rule["kind"] for rule in rules) == "email"
    assert json.loads((folder / "run/onnx/redaction.json").read_text()) == rules
    assert "it redacts nothing; the caller does, by the rules in redaction.json" in output


@pytest.mark.parametrize("task", ["token_classification", "question_answering"])
def test_places_in_texts_are_not_moved(tmp_path, task):
    (tmp_path / "a.csv").write_text("text,label\na,b\n")
    done = call_ftkeras(
        "train",
        f"--task={task}(train='a.csv')",
        "--redact=pii",
        f"--encoder={finished.ENCODER}",
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert "--redact=pii does not fit a" in done.stderr
    assert "which placeholders would move" in done.stderr


def test_unknown_kind_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\n")
    done = call_ftkeras("train", "a.csv", "--redact=pii(kinds=('name',))", cwd=tmp_path)
    assert done.returncode == 2
    assert "`kinds` must be some of email" in done.stderr
