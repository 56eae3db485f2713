"""Runs that learn from a teacher: what they learn, how they resume, and every problem."""

import csv
import hashlib
import json
import pathlib

import pytest

import ftkeras.corpora
from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.errors import Stopped, UserError
from ftkeras.experiment import build
from ftkeras.runs import audit, exported, inputs
from ftkeras.verbs import train
from tests import choices, finished, questions, tagged, text_pairs
from tests.running import call_ftkeras, succeed
from tests.training import test_state as state

REVIEWS = pathlib.Path(ftkeras.corpora.__file__).parent / "reviews"
SETTINGS = [
    f"--encoder={finished.ENCODER}",
    *("--learning_rate=2e-3", "--batch_size=16", "--max_length=32", "--epochs=2"),
    *("--export=none", "--noreport"),
]


def _rows(file: str) -> list[list[str]]:
    lines = (REVIEWS / file).read_text(encoding="utf-8").splitlines()[1:]
    return [line.split("\t") for line in lines]


def _write(path: pathlib.Path, rows) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    """Return a folder with few reviews, all of whose labels are wrong, and more without labels."""
    folder = tmp_path_factory.mktemp("reviews")
    rows = _rows("train.tsv")
    other = {"positive": "negative", "negative": "positive"}
    _write(folder / "wrong.csv", [(text, other[label]) for text, label in rows[:60]])
    _write(folder / "test.csv", _rows("test.tsv")[:60])
    (folder / "more.txt").write_text("\n".join(text for text, _ in rows[60:260]), encoding="utf-8")
    return folder


@pytest.mark.process
def test_unlabelled_texts_teach_what_wrong_labels_do_not(reviews, finished_run):
    """With all weight on the teacher, labels do not count: all of them are wrong here."""
    own = ["--data=wrong.csv", "--test_data=test.csv", "--validation_data=test.csv"]
    taught = ["--regularizer=distill(weight=1)", f"--teacher={finished_run / 'run'}"]
    shown = succeed(
        "train",
        *(*SETTINGS, *own, *taught, "--unlabelled=more.txt", "--run_dir=taught"),
        cwd=reviews,
    )
    assert "200 unlabelled" in shown
    assert "answered 260 texts" in shown
    assert _test_metric(reviews / "taught", "accuracy") >= 0.9
    metrics = json.loads((reviews / "taught" / "metrics.json").read_text())
    assert metrics["data"]["unlabelled"] == 200
    assert metrics["data"]["train"] == 60
    weights = (finished_run / "run" / "weights.safetensors").read_bytes()
    recorded = audit.read(reviews / "taught").last("trained")["teachers"]
    assert recorded == {str(finished_run / "run"): hashlib.sha256(weights).hexdigest()}


def test_a_wrong_teacher_is_one_line_and_leaves_no_folder(reviews):
    done = call_ftkeras(
        *("train", *SETTINGS, "--data=wrong.csv", "--run_dir=refused"),
        *("--teacher=nowhere", "--regularizer=distill"),
        cwd=reviews,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("ftkeras: --teacher=nowhere is neither the folder of a run nor")
    assert done.stderr.count("\n") == 1
    assert not (reviews / "refused").exists()


RESUMED = {
    "packed": {"batching": "packed", "accumulate": 2, "regularizer": ("distill", "l2")},
    "replicated": {"strategy": "mirrored(logical_devices=2)", "batching": "padded"},
    "features": {"policy": ("head_only",), "oversample": True, "class_weights": "balanced"},
    "windows": {"truncation": "windows(overlap=2)", "max_length": 10},
}


@pytest.mark.parametrize("way", state.matrix(RESUMED, default=[]))
def test_stopped_run_ends_as_one_that_was_not(way, finished_run, reviews, tmp_path, monkeypatch):
    settings = {
        "regularizer": ("distill(temperature=3)",),
        "teacher": (str(finished_run / "run"),),
        "unlabelled": (str(reviews / "more.txt"),),
        **RESUMED[way],
    }
    train.run(Config(**{**state.SMALL, **settings, "run_dir": str(tmp_path / "unbroken")}))
    config = Config(**{**state.SMALL, **settings, "run_dir": str(tmp_path / "run")})
    for number in (2, 20):
        state._stop_after(number, monkeypatch)
        with pytest.raises(Stopped):
            train.run(config)
    train.run(config)
    expected = state._outcome(tmp_path / "unbroken")
    for figure, value in state._outcome(tmp_path / "run").items():
        assert value == expected[figure], figure


@pytest.mark.matrix
def test_a_run_is_not_resumed_with_another_teacher(copy_of_finished_run, tmp_path, monkeypatch):
    teacher = copy_of_finished_run / "run"
    own = {"regularizer": ("distill",), "teacher": (str(teacher),), "run_dir": str(tmp_path / "r")}
    config = Config(**{**state.SMALL, **own})
    state._stop_after(1, monkeypatch)
    with pytest.raises(Stopped):
        train.run(config)
    found = {"problem": "classification", "temperature": 2.0}
    (teacher / "problem.json").write_text(json.dumps(found))
    monkeypatch.delattr(build, "experiment")  # so nothing is loaded
    with pytest.raises(UserError, match=r"run has changed since the run in run_dir="):
        train.run(config)


@pytest.mark.parametrize("part", ["run", "saved_models/quickstart"])
def test_another_model_of_a_teacher_is_noticed(part, copy_of_finished_run, tmp_path):
    teacher = copy_of_finished_run / part
    config = Config(**{**state.SMALL, "regularizer": ("distill",), "teacher": (str(teacher),)})
    inputs.write(tmp_path, {"pairs": False, **inputs.further(config)})
    inputs.check_unchanged(config, tmp_path)
    weights = exported.weights(teacher)
    assert weights is not None
    weights.write_bytes(weights.read_bytes()[::-1])
    with pytest.raises(UserError, match=f"teacher={teacher} has changed since the run in run_dir="):
        inputs.check_unchanged(config, tmp_path)


def test_another_file_of_unlabelled_texts_is_refused_before_anything_is_loaded(tmp_path):
    """The run need not have trained: what it has recorded of its inputs is enough."""
    more, run_dir = tmp_path / "more.txt", tmp_path / "run"
    more.write_text("a wonderful film\n", encoding="utf-8")
    run_dir.mkdir()
    found = inputs.digests([str(more)])
    inputs.write(run_dir, {"pairs": False, "unlabelled": found})
    own = {"regularizer": ("distill",), "teacher": ("nowhere",), "unlabelled": (str(more),)}
    config = Config(**{**state.SMALL, **own, "run_dir": str(run_dir)})
    inputs.check_unchanged(config, run_dir)
    more.write_text("a wonderful film\nand another one\n", encoding="utf-8")
    (run_dir / "run.cfg").write_text(flagfile.render(config))
    with pytest.raises(UserError, match="more.txt has changed since the run in run_dir="):
        train.run(config)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with data of every problem that distillation fits."""
    folder = tmp_path_factory.mktemp("problems")
    choices.write_csv(folder / "choices.csv", 200)
    tagged.write_conll(folder / "tagged.conll", 200)
    rows = _rows("train.tsv")[:200]
    moods = ["good" if label == "positive" else "bad;avoid" for _, label in rows]
    scores = [f"{(label == 'positive') + n / 1000:.3f}" for n, (_, label) in enumerate(rows)]
    _write(folder / "moods.csv", zip([text for text, _ in rows], moods, strict=True))
    _write(folder / "scores.csv", zip([text for text, _ in rows], scores, strict=True))
    pairs = text_pairs.scored(200)
    text_pairs.write_csv(folder / "pairs.csv", pairs, "sentence1", "sentence2", "score")
    asked = questions.write_squad(folder / "asked.json", 300)
    columns = ("question", "context")
    more = [[row[name] for name in columns] for row in questions.questions(400)[len(asked) :]]
    with (folder / "questions.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *more])
    return folder


DATA = {
    "multi_label": ["--data=moods.csv", "--label_separator=;"],
    "regression": ["--data=scores.csv"],
    "multiple_choice": ["--data=choices.csv", "--batching=padded"],
    "token_classification": ["--data=tagged.conll"],
    "similarity": ["--task=similarity(train='pairs.csv')"],
    "question_answering": ["--data=asked.json"],
}
# Problems whose exports do not answer with all probabilities, so only their runs teach.
ONLY_RUNS = ("token_classification", "question_answering")


METRICS = {
    "multi_label": "micro_f1",
    "regression": "spearman",
    "similarity": "pearson",
    "question_answering": "f1",
}


@pytest.mark.matrix
@pytest.mark.parametrize("problem", DATA)
def test_a_student_of_every_problem_comes_near_its_teacher(problem, folder):
    common, metric = [*SETTINGS, *DATA[problem], "--epochs=4"], METRICS.get(problem, "accuracy")
    export = ["--export=saved_model", f"--export_dir={problem}-exports"]
    succeed("train", *common, *export, f"--run_dir={problem}", cwd=folder)
    models = sorted((folder / f"{problem}-exports").glob("*/*/saved_model.pb"))
    teachers = [problem, *(str(path.parent) for path in models)]
    expected = _test_metric(folder / problem, metric)
    if problem in ONLY_RUNS:
        wrong = [f"--teacher={teachers[1]}", "--regularizer=distill", "--run_dir=of_an_export"]
        done = call_ftkeras("train", *common, *wrong, cwd=folder)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "name the folder of its run" in done.stderr
    for number, teacher in enumerate([problem] if problem in ONLY_RUNS else teachers):
        name = f"{problem}-{number}"
        taught = [f"--teacher={teacher}", "--regularizer=distill(weight=1)"]
        succeed("train", *common, *taught, f"--run_dir={name}", cwd=folder)
        with (folder / name / "history.csv").open() as file:
            losses = [float(row["loss"]) for row in csv.DictReader(file)]
        assert losses[-1] < losses[0]
        assert _test_metric(folder / name, metric) > expected - 0.1


@pytest.mark.matrix
def test_answers_are_learned_at_their_places(folder):
    """Both runs need the same tokens in the same windows, also of questions without answers."""
    own = [*SETTINGS, "--data=asked.json", "--max_length=12", "--truncation=windows(overlap=2)"]
    succeed("train", *own, "--epochs=4", "--run_dir=asked", cwd=folder)
    taught = ["--teacher=asked", "--regularizer=distill(weight=1)", "--unlabelled=questions.csv"]
    for batching in ("packed", "bucketed"):
        way = [f"--batching={batching}", "--epochs=4", f"--run_dir={batching}"]
        succeed("train", *own, *taught, *way, cwd=folder)
        near, aim = (_test_metric(folder / name, "f1") for name in (batching, "asked"))
        assert near > aim - 0.1
    other = ["--max_length=14", "--run_dir=other_windows"]
    done = call_ftkeras("train", *own, *taught, *other, cwd=folder)
    assert done.returncode == 2
    assert done.stderr.startswith("ftkeras: --teacher=asked reads the contexts in other tokens")
    assert done.stderr.count("\n") == 1
    assert not (folder / "other_windows").exists()


def _test_metric(folder: pathlib.Path, metric: str) -> float:
    return json.loads((folder / "metrics.json").read_text())["test"][metric]
