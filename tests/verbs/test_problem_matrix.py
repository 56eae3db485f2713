"""A few steps of every way to train, with problems whose answers are not one label."""

import json
import pathlib

import pytest

import ftkeras.corpora
from ftkeras import problems
from tests import choices, finished, text_pairs
from tests.running import call_ftkeras, succeed

pytestmark = pytest.mark.matrix
REVIEWS = pathlib.Path(ftkeras.corpora.__file__).parent / "reviews"
SHORT = [
    f"--encoder={finished.ENCODER}",
    *("--train_examples=64", "--validation_examples=32", "--test_examples=32"),
    *("--learning_rate=2e-3", "--batch_size=16", "--max_length=32", "--epochs=1"),
    "--export=none",
]
WAYS = {
    "packed": ["--batching=packed"],
    "bucketed": ["--batching=bucketed"],
    "accumulated": ["--batching=padded", "--accumulate=2"],
    "r_drop": ["--regularizer=r_drop"],
    "smart": ["--regularizer=smart", "--batching=padded"],
    "freelb": ["--regularizer=freelb", "--batching=padded"],
    "mirrored": ["--strategy=mirrored(logical_devices=2)", "--batching=padded"],
    "bfloat16": ["--precision=mixed_bfloat16"],
    "float16": ["--precision=mixed_float16"],
    "lora": ["--policy=lora"],
    "frozen": ["--policy=head_only"],
    "average": ["--average=ema"],
    "lamb": ["--optimizer=lamb"],
    "weights": ["--class_weights=balanced"],
    "entropy": ["--regularizer=confidence_penalty"],
    "smoothed": ["--loss=binary_cross_entropy(label_smoothing=0.1)"],
    "focal": ["--loss=focal"],
    "huber": ["--loss=huber"],
    "private": ["--private=dp_sgd(noise=0.5, delta=1e-3, public_validation=True)"],
}
DATA = {
    "multi_label": "--data=moods.tsv",
    "regression": "--data=scores.tsv",
    "multiple_choice": "--data=choices.csv",
    "similarity": "--task=similarity(train='scored.csv')",
    "positive_pairs": "--task=positive_pairs(train='positive.csv')",
}
OF_VECTORS = {
    *("packed", "r_drop", "smart", "frozen", "weights", "entropy", "smoothed", "focal", "huber"),
    "private",
}
# What is made for labels does not fit numbers, and the reverse.
REFUSED = {
    "multi_label": {"huber"},
    "regression": {"weights", "entropy", "smoothed", "focal", "private"},
    "multiple_choice": {"packed", "weights", "smoothed", "focal", "huber"},
    "similarity": OF_VECTORS,
    "positive_pairs": OF_VECTORS,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with reviews that have labels or a number, with questions and with pairs."""
    folder = tmp_path_factory.mktemp("matrix")
    choices.write_csv(folder / "choices.csv", 300)
    columns = ("sentence1", "sentence2", "score")
    text_pairs.write_csv(folder / "scored.csv", text_pairs.scored(300), *columns)
    text_pairs.write_csv(folder / "positive.csv", text_pairs.positive(300), "text", "pair")
    lines = (REVIEWS / "train.tsv").read_text(encoding="utf-8").splitlines()[1:301]
    rows = [line.split("\t") for line in lines]
    fewer = {0: "", 5: "bad", 7: "avoid"}
    moods = [
        "good" if label == "positive" else fewer.get(n % 10, "bad;avoid")
        for n, (_, label) in enumerate(rows)
    ]
    scores = [f"{(label == 'positive') + n / 1000:.3f}" for n, (_, label) in enumerate(rows)]
    for name, answers in (("mood", moods), ("score", scores)):
        pairs = zip(rows, answers, strict=True)
        text = "".join(f"{text}\t{answer}\n" for (text, _), answer in pairs)
        (folder / f"{name}s.tsv").write_text(f"text\t{name}\n{text}", encoding="utf-8")
    return folder


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("problem", DATA)
def test_run_is_trained_or_refused_by_name(folder, problem, way):
    run = f"{problem}-{way}"
    arguments = [*SHORT, DATA[problem], f"--run_dir={run}", *WAYS[way]]
    if way in REFUSED[problem]:
        done = call_ftkeras("train", *arguments, cwd=folder)
        assert done.returncode == 2
        assert done.stderr.startswith("ftkeras: --")
        assert not (folder / run).exists()
        return
    succeed("train", *arguments, cwd=folder)
    metrics = json.loads((folder / run / "metrics.json").read_text())
    problem_json = json.loads((folder / run / "problem.json").read_text())
    assert problem_json["problem"] == problem
    assert metrics["test"]["examples"] > 20
    assert metrics["test"]["loss"] < (5 if problem == "positive_pairs" else 2)  # of 64 options


@pytest.mark.parametrize("problem", DATA)
def test_tune_finds_the_best_of_its_trials(folder, problem):
    shown = succeed(
        "tune",
        *(*SHORT, DATA[problem], f"--search_dir=tuned-{problem}"),
        *("--oracle=grid", "--search=learning_rate=choice(1e-3, 3e-3)"),
        cwd=folder,
    )
    objective = problems.find(problem).metric
    assert objective in shown


@pytest.mark.parametrize("problem", DATA)
def test_crossvalidate_measures_each_fold(folder, problem):
    command = ("crossvalidate", *SHORT, DATA[problem], "--folds=2", f"--run_dir=folds-{problem}")
    succeed(*command, cwd=folder)
    found = json.loads((folder / f"folds-{problem}" / "crossvalidation.json").read_text())
    assert len(found["folds"]) == 2
    assert all(problems.find(problem).metric in fold for fold in found["folds"])
