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


@pytest.mark.process
def test_entities_of_an_export_are_places_in_the_text_that_it_is_given(tmp_path):
    for name, count in (("train", 90), ("test", 30)):
        rows = []
        for n in range(count):
            text = f"the film of {('ann', 'bob')[n % 2]}{n}@example.org was not good"
            start, end = 12, text.index(" was")
            rows.append({"text": text, "entities": [{"start": start, "end": end, "label": "MAIL"}]})
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    output = succeed(
        *("train", "--task=token_classification(train='train.jsonl', test='test.jsonl')"),
        *(f"--encoder={finished.ENCODER}", "--redact=pii", "--epochs=3", "--learning_rate=3e-3"),
        *("--max_length=32", "--run_dir=run", "--noreport", "--cache_dir=none"),
        *("--export=saved_model", "--export_dir=exports"),
        cwd=tmp_path,
    )
    assert "30 email in test" in output
    rows = (tmp_path / "run/predictions.jsonl").read_text().splitlines()
    assert json.loads(rows[0])["entities"] == [{"type": "MAIL", "start": 12, "end": 19}]
    text = "é was the film of carla@example.org good"
    (line,) = succeed(
        *("predict", "--model=exports/train", "--json", f"--text={text}"), cwd=tmp_path
    ).splitlines()
    (entity,) = json.loads(line)["entities"]
    assert text[entity["start"] : entity["end"]] == entity["text"] == "carla@example.org"


def test_unknown_kind_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\n")
    done = call_ftkeras("train", "a.csv", "--redact=pii(kinds=('name',))", cwd=tmp_path)
    assert done.returncode == 2
    assert "`kinds` must be some of email" in done.stderr
