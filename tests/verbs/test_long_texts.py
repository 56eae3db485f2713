"""Texts that are cut into windows, through training, evaluation and export."""

import csv
import json
import pathlib
import zlib

import pytest

import ftkeras.corpora
from tests import choices, finished, tagged
from tests.running import call_ftkeras, succeed

REVIEWS = pathlib.Path(ftkeras.corpora.__file__).parent / "reviews"
SHORT = [
    f"--encoder={finished.ENCODER}",
    *("--learning_rate=5e-3", "--batch_size=16", "--export_dir=saved"),
]
WINDOWS = "--truncation=windows(overlap=3)"
# Without it, few different cells are classes.
SEPARATOR = {"mood.tsv": ("--label_separator=;",)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with reviews that have a label, labels, a number, tags, or a second text."""
    folder = tmp_path_factory.mktemp("long")
    lines = (REVIEWS / "train.tsv").read_text(encoding="utf-8").splitlines()[1:301]
    rows = [line.split("\t") for line in lines]
    answers = {
        "label": [label for _, label in rows],
        "mood": [
            "good" if label == "positive" else ("bad;avoid", "bad")[n % 2]
            for n, (_, label) in enumerate(rows)
        ],
        "score": [f"{(label == 'positive') + n / 1000:.3f}" for n, (_, label) in enumerate(rows)],
    }
    for name, column in answers.items():
        text = "".join(f"{t}\t{answer}\n" for (t, _), answer in zip(rows, column, strict=True))
        (folder / f"{name}.tsv").write_text(f"text\t{name}\n{text}", encoding="utf-8")
    pairs = "".join(f"why?\t{text}\t{label}\n" for text, label in rows)
    (folder / "pair.tsv").write_text(f"text\tpair\tlabel\n{pairs}", encoding="utf-8")
    tagged.write_conll(folder / "tags.conll", 300)
    return folder


def _train(folder, data, *flags):
    run = folder / f"{data.partition('.')[0]}-{zlib.crc32(repr(flags).encode())}"
    flags = (*SEPARATOR.get(data, ()), *flags)
    shown = succeed("train", *SHORT, f"--data={data}", *flags, f"--run_dir={run}", cwd=folder)
    return run, shown, json.loads((run / "metrics.json").read_text())


# The default tier runs one problem; the export is verified against the run as it is written.
CASES = {
    "label.tsv": ("accuracy", 0.7, 10),
    "mood.tsv": ("micro_f1", 0.6, 10),
    "score.tsv": ("spearman", 0.5, 10),
    "tags.conll": ("f1", 0.5, 12),
    "pair.tsv": ("accuracy", 0.7, 16),
}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(data, marks=pytest.mark.process if data == "label.tsv" else pytest.mark.matrix)
        for data in CASES
    ],
)
def test_run_learns_and_its_export_reads_whole_texts(folder, data):
    metric, least, length = CASES[data]
    run, shown, metrics = _train(folder, data, WINDOWS, f"--max_length={length}", "--epochs=6")
    read, test = metrics["read"]["test"], metrics["test"]
    assert test[metric] > least
    assert test["examples"] == metrics["data"]["test"] == len(_rows(run))
    assert read["windows"] > 1.2 * test["examples"]
    assert f"{read['windows']:,} windows" in shown
    assert "test texts differ from the run's by at most" in shown
    # An epoch is selected by the texts, as they are evaluated.
    with (run / "history.csv").open(newline="") as file:
        epochs = list(csv.DictReader(file))
    best = epochs[metrics["train"]["best_epoch"] - 1]
    assert float(best["val_loss"]) == pytest.approx(metrics["validation"]["loss"], rel=1e-3)


def _rows(run):
    return (run / "predictions.jsonl").read_text(encoding="utf-8").splitlines()


@pytest.mark.matrix
@pytest.mark.parametrize("data", ["label.tsv", "mood.tsv", "score.tsv", "tags.conll"])
def test_texts_of_one_window_are_answered_as_without_windows(folder, data):
    flags = ("--max_length=64", "--epochs=1", "--export=none")
    rows = [
        _rows(_train(folder, data, *flags, other)[0]) for other in (WINDOWS, "--truncation=head")
    ]
    assert rows[0] == rows[1]


@pytest.mark.matrix
@pytest.mark.parametrize("data", ["label.tsv", "tags.conll"])
def test_batchings_agree_and_a_resumed_run_ends_with_the_same_bits(folder, data):
    short = (WINDOWS, "--max_length=12", "--epochs=3", "--export=none", "--batching=packed")
    run, _, metrics = _train(folder, data, *short)
    settings = (run / "run.cfg").read_text()
    (run / "run.cfg").write_text(settings.replace("packed", "bucketed"))
    succeed("evaluate", f"--run_dir={run}", cwd=folder)
    again = json.loads((run / "metrics.json").read_text())["test"]
    assert again["loss"] == pytest.approx(metrics["test"]["loss"], rel=1e-4)
    halves = [*SHORT, f"--data={data}", *short, f"--run_dir={run}-halves", "--keep_state"]
    succeed("train", *halves, "--last_epoch=1", cwd=folder)
    succeed("train", *halves, cwd=folder)
    whole, resumed = (
        pathlib.Path(f"{run}{end}", "weights.safetensors").read_bytes() for end in ("", "-halves")
    )
    assert whole == resumed


@pytest.mark.matrix
@pytest.mark.parametrize(
    "flags",
    [
        ["--policy=head_only", "--head=classification(pooling='mean')"],
        ["--class_weights=balanced", "--accumulate=2", "--batching=padded"],
        ["--regularizer=r_drop", "--truncation=windows(overlap=3, combine='max')"],
        ["--strategy=mirrored(logical_devices=2)", "--batching=padded"],
        ["--oversample", "--folds=2", "--fold=0"],
        ["--export=onnx", "--export=litert", "--export=huggingface"],
        ["--export=saved_model(quantization='int8')", "--objective=loss"],
    ],
    ids=lambda flags: flags[0],
)
def test_run_is_trained_in_every_way(folder, flags):
    *_, metrics = _train(folder, "label.tsv", WINDOWS, "--max_length=12", "--epochs=1", *flags)
    assert 0 < metrics["test"]["accuracy"] <= 1


def test_what_cannot_combine_windows_is_refused_in_one_line(folder):
    choices.write_csv(folder / "choices.csv", 40)
    for data, flags, reason in (
        ("choices.csv", [WINDOWS], "can't combine the windows of a text"),
        ("tags.conll", ["--truncation=windows(combine='max')"], "`combine` can't be used with a"),
        ("label.tsv", [WINDOWS, "--export=saved_model(explain=True)"], "reads one window"),
        ("label.tsv", [WINDOWS, "--schedule=reduce_on_plateau(by='accuracy')"], "no 'accuracy'"),
    ):
        done = call_ftkeras("train", *SHORT, f"--data={data}", *flags, "--run_dir=no", cwd=folder)
        assert done.returncode == 2
        assert reason in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert not (folder / "no").exists()
