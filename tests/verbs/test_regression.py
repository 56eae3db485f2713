"""A regression on the user's own file, through every verb."""

import json
import pathlib

import numpy as np
import pytest

import ftkeras.corpora
from tests import finished
from tests.running import call_ftkeras, succeed

REVIEWS = pathlib.Path(ftkeras.corpora.__file__).parent / "reviews"
SHORT = [
    "--data=scores.csv",
    f"--encoder={finished.ENCODER}",
    *("--train_examples=240", "--validation_examples=60", "--test_examples=60"),
    *(
        "--learning_rate=2e-3",
        "--batch_size=32",
        "--max_length=32",
        "--epochs=3",
        "--batching=padded",
    ),
    "--export_dir=saved",
]


def _write_scores(folder: pathlib.Path) -> None:
    """Write reviews with a number: about 40 for bad ones and 60 for good ones, never the same."""
    lines = (REVIEWS / "train.tsv").read_text(encoding="utf-8").splitlines()[1:601]
    with (folder / "scores.csv").open("w", encoding="utf-8") as file:
        file.write("text\tscore\tlength\n")
        for number, line in enumerate(lines):
            text, label = line.split("\t")
            score = 40 + 20 * (label == "positive") + number / 300
            file.write(f"{text}\t{score:.3f}\t{len(text.split())}\n")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a folder with a trained run that has not been exported, and what it showed."""
    folder = tmp_path_factory.mktemp("regression")
    _write_scores(folder)
    shown = succeed("train", *SHORT, "--run_dir=run", "--export=none", cwd=folder)
    return folder, shown


def _metrics(run: pathlib.Path) -> dict:
    return json.loads((run / "metrics.json").read_text())


def _rows(path: pathlib.Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_run_learns_and_answers_in_the_unit_of_the_data(trained):
    folder, shown = trained
    assert "task    regression, as the labels of 'scores.csv' are many different numbers" in shown
    assert "score: 5" in shown  # the mean
    measured = _metrics(folder / "run")["test"]
    assert measured["pearson"] >= 0.9
    assert measured["mae"] < 5
    rows = _rows(folder / "run" / "predictions.jsonl")
    errors = [abs(row["targets"][0] - row["values"][0]) for row in rows]
    assert measured["mae"] == pytest.approx(np.mean(errors), rel=1e-5)
    settings = (folder / "run" / "run.cfg").read_text()
    assert "--task=regression(train='scores.csv')" in settings
    assert "--objective=spearman" in settings


@pytest.mark.process
def test_evaluate_finds_the_same_again_and_reads_other_data(trained):
    folder, _ = trained
    before = _metrics(folder / "run")
    succeed("evaluate", "--run_dir=run", cwd=folder)
    again = _metrics(folder / "run")
    assert again["test"] == pytest.approx(before["test"])
    lines = (folder / "scores.csv").read_text().splitlines()
    (folder / "more.csv").write_text("\n".join([lines[0], *lines[500:560]]) + "\n")
    succeed("evaluate", "--run_dir=run", "--data=more.csv", cwd=folder)
    other = json.loads((folder / "run" / "metrics-more.json").read_text())
    assert other["test"]["examples"] == 60
    assert other["test"]["pearson"] >= 0.9


@pytest.mark.parametrize("value", ["nan", "good"])
def test_answer_that_is_no_number_is_one_line(trained, value, tmp_path):
    lines = (trained[0] / "scores.csv").read_text().splitlines()
    lines[300] = f"a text\t{value}\t3"
    (tmp_path / "scores.csv").write_text("\n".join(lines))
    settings = [*SHORT[1:], "--task=regression(train='scores.csv', text='text', label='score')"]
    done = call_ftkeras("train", *settings, "--run_dir=run", cwd=tmp_path)
    assert done.returncode == 2
    assert "line 301 of 'scores.csv'" in done.stderr
    assert f"Received: '{value}'" in done.stderr or value == "nan"


@pytest.mark.process
def test_interrupted_run_ends_with_the_same_bits(trained):
    folder, _ = trained
    short = [*SHORT, "--export=none", "--run_dir=halves", "--keep_state"]
    succeed("train", *short, "--last_epoch=1", cwd=folder)
    succeed("train", *short, cwd=folder)
    whole, halves = (
        (folder / run / "weights.safetensors").read_bytes() for run in ("run", "halves")
    )
    assert whole == halves


@pytest.mark.process
def test_exports_answer_like_the_run_in_the_unit_of_the_data(trained):
    from safetensors.numpy import load_file
    from transformers import AutoTokenizer

    from ftkeras.prediction.predictor import Predictor

    folder, _ = trained
    names = ("saved_model(explain=True)", "onnx", "litert", "huggingface")
    formats = [f"--export={name}" for name in names]
    succeed("export", "--run_dir=run", "--export_dir=saved", *formats, cwd=folder)
    samples = _rows(folder / "run" / "samples.jsonl")
    texts, expected = [s["text"] for s in samples], [s["values"][0] for s in samples]
    model = Predictor(folder / "saved" / "scores" / "1")
    answers = [answer["values"]["score"] for answer in model.predict(texts)]
    assert answers == pytest.approx(expected, rel=1e-4)
    record = json.loads((folder / "saved" / "scores" / "1" / "export.json").read_text())
    assert record["largest_difference"] < 1e-5
    explained = model.outputs(texts[:4], signature="explain")
    for row, number in zip(explained, expected, strict=False):
        assert row["values"][0] == pytest.approx(number, rel=1e-4)
        # The tokens and the gap account for what the text adds to the number of an empty one.
        assert abs(row["gap"]) < 0.1 * abs(sum(row["attributions"])) + 0.1
    # What transformers computes: the pooled state times the written classifier.
    tensors = load_file(folder / "run" / "huggingface" / "model.safetensors")
    config = json.loads((folder / "run" / "huggingface" / "config.json").read_text())
    assert config["problem_type"] == "regression"
    assert config["id2label"] == {"0": "score"}
    assert tensors["classifier.bias"][0] > 30  # the mean of the data is folded in
    assert AutoTokenizer.from_pretrained(folder / "run" / "huggingface")
    shown = succeed("predict", "--model=saved/scores", "--text=Worth every minute.", cwd=folder)
    number, text = shown.strip().split("\t")
    assert 30 < float(number) < 75
    assert text == "Worth every minute."


@pytest.mark.process
def test_compare_and_crossvalidate_test_the_error(trained):
    folder, _ = trained
    short = [*SHORT, "--export=none", "--run_dir=huber", "--loss=huber"]
    succeed("train", *short, cwd=folder)
    shown = succeed("compare", "run", "huber", "--output=out", "--resamples=200", cwd=folder)
    assert "mae" in shown
    result = json.loads((folder / "out" / "compare.json").read_text())
    assert result["pairs"][0]["test"] == "paired bootstrap"
    assert "mean_absolute_errors" in result["ways"][0]
    shown = succeed(
        "crossvalidate", *SHORT[:-1], "--folds=2", "--run_dir=folds", "--epochs=1", cwd=folder
    )
    found = json.loads((folder / "folds" / "crossvalidation.json").read_text())
    assert found["figures"]["mae"]["low"] >= 0
