"""Several labels for the user's own texts, through every verb."""

import json
import pathlib

import numpy as np
import pytest

import ftkeras.corpora
from tests import finished
from tests.running import call_ftkeras, succeed

pytestmark = pytest.mark.process
REVIEWS = pathlib.Path(ftkeras.corpora.__file__).parent / "reviews"
SHORT = [
    "--data=moods.tsv",
    f"--encoder={finished.ENCODER}",
    *("--train_examples=240", "--validation_examples=80", "--test_examples=60"),
    *("--learning_rate=2e-3", "--batch_size=32", "--max_length=32", "--epochs=3"),
    "--batching=padded",
]


def _write(folder: pathlib.Path) -> None:
    """Write reviews with one label if they are good, and two if bad; a few have fewer."""
    lines = (REVIEWS / "train.tsv").read_text(encoding="utf-8").splitlines()[1:801]
    with (folder / "moods.tsv").open("w", encoding="utf-8") as file:
        file.write("text\tmoods\n")
        for number, line in enumerate(lines):
            text, label = line.split("\t")
            fewer = {0: "", 10: "bad", 20: "avoid"}
            labels = "good" if label == "positive" else fewer.get(number % 30, "bad;avoid")
            file.write(f"{text}\t{labels}\n")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a folder with a trained run that has not been exported, and what it showed."""
    folder = tmp_path_factory.mktemp("multi_label")
    _write(folder)
    shown = succeed("train", *SHORT, "--run_dir=run", "--export=none", cwd=folder)
    return folder, shown


@pytest.fixture(scope="module")
def exported(trained):
    """Return the folder, after the run was exported in every format."""
    folder, _ = trained
    names = ("saved_model(explain=True)", "onnx", "litert", "huggingface")
    formats = [f"--export={name}" for name in names]
    succeed("export", "--run_dir=run", "--export_dir=saved", *formats, cwd=folder)
    return folder


def _read(path: pathlib.Path):
    return json.loads(path.read_text(encoding="utf-8"))


def _rows(path: pathlib.Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_run_learns_and_tunes_its_thresholds_on_validation(trained):
    folder, shown = trained
    assert "task    multi_label, as texts of 'moods.tsv' have several labels each" in shown
    assert "labels joined by ';'" in shown
    assert "without a label" in shown
    assert "its bias starts from the share of each label in train" in shown
    assert "the thresholds are tuned on the 80 validation examples" in shown
    measured, problem = _read(folder / "run/metrics.json"), _read(folder / "run/problem.json")
    assert measured["test"]["micro_f1"] >= 0.85
    assert problem["tuned_on"] == 80
    for split in ("validation", "test"):
        rows = measured[split]["per_label"]
        assert [row["threshold"] for row in rows] == problem["thresholds"]
    for row in _rows(folder / "run/predictions.jsonl"):
        pairs = zip(("avoid", "bad", "good"), problem["thresholds"], strict=True)
        decided = [name for p, (name, t) in zip(row["probabilities"], pairs, strict=True) if p >= t]
        assert decided == row["predicted"]
    assert "--task=multi_label(train='moods.tsv')" in (folder / "run/run.cfg").read_text()


def test_evaluate_uses_the_stored_thresholds_on_other_data_too(trained):
    folder, _ = trained
    before, problem = _read(folder / "run/metrics.json"), _read(folder / "run/problem.json")
    succeed("evaluate", "--run_dir=run", cwd=folder)
    assert _read(folder / "run/metrics.json")["test"] == before["test"]
    lines = (folder / "moods.tsv").read_text().splitlines()
    (folder / "more.tsv").write_text("\n".join([lines[0], *lines[500:560]]) + "\n")
    succeed("evaluate", "--run_dir=run", "--data=more.tsv", cwd=folder)
    other = _read(folder / "run/metrics-more.json")["test"]
    assert (other["examples"], other["micro_f1"] >= 0.8) == (60, True)
    assert _read(folder / "run/problem.json") == problem


def test_interrupted_run_ends_with_the_same_bits_and_thresholds(trained):
    folder, _ = trained
    short = [*SHORT, "--export=none", "--run_dir=halves", "--keep_state"]
    succeed("train", *short, "--last_epoch=1", cwd=folder)
    succeed("train", *short, cwd=folder)
    for name in ("weights.safetensors", "problem.json", "predictions.jsonl"):
        whole, halves = ((folder / run / name).read_bytes() for run in ("run", "halves"))
        assert whole == halves, name


def test_exports_answer_like_the_run(exported):
    from ftkeras.prediction.predictor import Predictor

    version, samples = exported / "saved/moods/1", _rows(exported / "run/samples.jsonl")
    answers = Predictor(version).predict([sample["text"] for sample in samples])
    for answer, sample in zip(answers, samples, strict=True):
        assert sorted(answer["labels"]) == sample["predicted"]
        found = list(answer["probabilities"].values())
        assert found == pytest.approx(sample["probabilities"], abs=1e-5)
    for folder in (version, exported / "run/onnx", exported / "run/litert"):
        record = _read(folder / "export.json")
        assert record["largest_difference"] < 1e-4
        assert record["labels_changed"] == 0
        assert _read(folder / "problem.json") == _read(exported / "run/problem.json")
    config = _read(exported / "run/huggingface/config.json")
    assert config["problem_type"] == "multi_label_classification"
    thresholds = _read(exported / "run/problem.json")["thresholds"]
    assert list(config["thresholds"].values()) == thresholds
    card = (exported / "run/huggingface/README.md").read_text()
    assert "| `good` |" in card
    assert "multi-label text classifier" in card


def test_predict_overrides_the_thresholds_and_writes_tables(exported):
    predict = ("predict", "--model=saved/moods", "--text=Worth every minute.")
    labels, probabilities, _ = succeed(*predict, cwd=exported).strip().split("\t")
    assert "good" in labels.split(",")
    assert len(probabilities.split(",")) == len(labels.split(","))
    every = succeed(*predict, "--threshold=0", cwd=exported).split("\t")[0]
    assert sorted(every.split(",")) == ["avoid", "bad", "good"]
    assert succeed(*predict, "--threshold=1", cwd=exported).startswith("-\t-\t")
    some = succeed(*predict, "--threshold=bad=0,good=1", cwd=exported).split("\t")[0]
    assert "good" not in some.split(",")
    assert "bad" in some.split(",")
    done = call_ftkeras(*predict, "--threshold=fun=0.2", cwd=exported)
    assert done.returncode == 2
    assert "--threshold names 'fun'; the labels are: avoid, bad, good." in done.stderr
    for suffix in ("csv", "jsonl", "parquet"):
        succeed(
            *("predict", "--model=saved/moods", "--input=moods.tsv", f"--output=out.{suffix}"),
            cwd=exported,
        )
    rows = _rows(exported / "out.jsonl")
    assert set(rows[0]) == {
        *("text", "moods", "predicted", "probability_bad", "probability_good", "probability_avoid"),
    }
    # What is predicted can be read again as the labels of a task.
    agree = [set(row["predicted"].split(",")) == set(row["moods"].split(";")) for row in rows]
    assert np.mean(agree) > 0.75


def test_compare_and_crossvalidate_test_the_f1_of_examples(trained):
    folder, _ = trained
    short = [*SHORT, "--export=none", "--run_dir=focal", "--loss=focal", "--class_weights=balanced"]
    succeed("train", *short, cwd=folder)
    shown = succeed("compare", "run", "focal", "--output=out", "--resamples=200", cwd=folder)
    assert "sample_f1" in shown
    result = _read(folder / "out/compare.json")
    assert result["pairs"][0]["test"] == "paired bootstrap"
    succeed("crossvalidate", *SHORT, "--folds=2", "--run_dir=folds", "--epochs=1", cwd=folder)
    found = _read(folder / "folds/crossvalidation.json")
    assert 0 <= found["figures"]["micro_f1"]["low"] <= 1


def test_without_validation_the_thresholds_are_0_5_and_that_is_said(trained):
    folder, _ = trained
    shown = succeed(
        *("train", *SHORT, "--export=none", "--run_dir=all", "--train_on_validation", "--epochs=1"),
        cwd=folder,
    )
    assert "all thresholds are 0.5, as there was no validation split to tune them on" in shown
    assert _read(folder / "all/problem.json")["thresholds"] == [0.5, 0.5, 0.5]
