"""Rounds of self-training: which answers are taken, what a round learns, and how rounds end."""

import csv
import itertools
import json
import pathlib
import shutil

import numpy as np
import pytest
import scipy.special
import tensorflow as tf

import ftkeras.corpora
from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.errors import Stopped, UserError
from ftkeras.experiment import answering
from ftkeras.phases.self_training.rounds import Rounds
from ftkeras.verbs import train
from ftkeras.workflows import self_training
from tests import finished
from tests.matrix import matrix
from tests.running import succeed
from tests.training import test_state as state

REVIEWS = pathlib.Path(ftkeras.corpora.__file__).parent / "reviews"


def test_answers_are_taken_from_the_confidence_on():
    probabilities = np.array([[0.9, 0.1], [0.1, 0.9], [0.4, 0.6], [0.91, 0.09]])
    assert Rounds(confidence=0.9).choose(probabilities).tolist() == [True, True, False, True]
    assert not Rounds(confidence=1.0).choose(probabilities).any()


def test_no_confidence_is_above_one():
    with pytest.raises(ValueError, match=r"`confidence` must be at most 1. Received: 1.5."):
        Rounds(confidence=1.5)


def _rows(file: str) -> list[list[str]]:
    lines = (REVIEWS / file).read_text(encoding="utf-8").splitlines()[1:]
    return [line.split("\t") for line in lines]


def _write(path: pathlib.Path, rows) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return str(path)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Return the settings of a run on few labels, with unlabelled texts, one of which is tested."""
    folder, rows, tested = tmp_path_factory.mktemp("data"), _rows("train.tsv"), _rows("test.tsv")
    more = [text for text, _ in rows[60:140]]
    (folder / "more.txt").write_text("\n".join([*more, tested[0][0]]), encoding="utf-8")
    return {
        "data": (_write(folder / "few.csv", rows[:20]),),
        "validation_data": (_write(folder / "validation.csv", rows[20:60]),),
        "test_data": (_write(folder / "test.csv", tested[:40]),),
        "unlabelled": (str(folder / "more.txt"),),
        "self_training": "rounds(count=1, confidence=0.7)",
        "encoder": str(finished.ENCODER),
        "max_length": 32,
        "batch_size": 32,
        "epochs": 2,
        "learning_rate": 2e-3,
        "class_weights": "balanced",
        "cache_dir": "none",
        "export": (),
        "report": False,
    }


@pytest.fixture(scope="module")
def run(settings, tmp_path_factory):
    """Return the folder of a finished run of two rounds."""
    run_dir = tmp_path_factory.mktemp("runs") / "run"
    train.run(Config(**settings, run_dir=str(run_dir)))
    return run_dir


def _metrics(folder: pathlib.Path) -> dict:
    return json.loads((folder / "metrics.json").read_text())


def _pseudo_labels(round_dir: pathlib.Path, texts: list[str]) -> list[tuple[str, str]]:
    """Return the texts whose calibrated answer is confident, with that answer."""
    experiment = answering.open_run(round_dir)
    dataset = tf.data.Dataset.from_tensor_slices({"text": texts})
    logits = answering.outputs(experiment, answering.read_texts(experiment, dataset))
    temperature = json.loads((round_dir / "problem.json").read_text())["temperature"]
    found = scipy.special.softmax(logits / temperature, axis=1)
    names = experiment.problem.names
    answers = zip(texts, found, strict=True)
    return [(text, names[p.argmax()]) for text, p in answers if p.max() >= 0.7]


@pytest.mark.matrix
def test_a_round_equals_a_run_on_a_file_with_the_pseudo_labels(settings, run, tmp_path):
    """The labels of the second round are written by hand, and trained on without self-training."""
    texts = pathlib.Path(settings["unlabelled"][0]).read_text(encoding="utf-8").splitlines()
    taken = _pseudo_labels(run / "rounds" / "0", texts[:-1])  # the last one is in test
    assert 0 < len(taken) <= 80
    labelled = _rows("train.tsv")[:20]
    plain = {k: v for k, v in settings.items() if k not in ("self_training", "unlabelled")}
    plain["data"] = (_write(tmp_path / "both.csv", [*labelled, *taken]),)
    train.run(Config(**plain, run_dir=str(tmp_path / "run"), test=False))
    folders = (run / "rounds" / "1", tmp_path / "run")
    found, expected = ((folder / "weights.safetensors").read_bytes() for folder in folders)
    assert found == expected
    counts = _metrics(run / "rounds" / "1")["data"]["pseudo_labels"]
    names = [label for _, label in taken]
    assert counts == {name: names.count(name) for name in ("negative", "positive")}


@pytest.mark.matrix
def test_the_run_is_the_best_round(run):
    found = _metrics(run)
    rounds = found["train"]["rounds"]
    best = max(rounds, key=lambda row: (row["accuracy"], -row["loss"]))
    number = found["train"]["best_round"]
    assert rounds[number] == best
    assert [sum(row["pseudo_labels"].values()) > 0 for row in rounds] == [False, True]
    same = [folder / "weights.safetensors" for folder in (run, run / "rounds" / str(number))]
    assert same[0].read_bytes() == same[1].read_bytes()
    assert found["test"]["examples"] == 40
    assert "test" not in _metrics(run / "rounds" / "0")
    assert not (run / "rounds" / "0" / "checkpoints").exists()


@pytest.mark.matrix
def test_a_run_on_pseudo_labels_can_be_exported(run, tmp_path):
    shutil.copytree(run / "rounds" / "1", tmp_path / "second")
    succeed("export", "--run_dir=second", "--export=huggingface", cwd=tmp_path)
    assert "pseudo labels: " in (tmp_path / "second" / "huggingface" / "README.md").read_text()


@pytest.mark.matrix
def test_a_finished_run_is_not_run_again(settings, run, caplog):
    caplog.set_level("INFO")
    state_of_round = run / "rounds" / "0" / "checkpoints"
    state_of_round.mkdir()  # as a process leaves it that is killed at the end
    train.run(Config(**settings, run_dir=str(run)))
    assert len(caplog.records) == 1
    assert "is finished: `restart` starts again" in caplog.text
    assert not state_of_round.exists()


@pytest.mark.parametrize("keep_state", [None, True])
def test_more_epochs_of_a_finished_run_are_refused_at_its_own_folder(
    keep_state, settings, tmp_path
):
    given = {**settings, "keep_state": keep_state, "run_dir": str(tmp_path)}
    (tmp_path / "run.cfg").write_text(flagfile.render(Config(**given)))
    (tmp_path / "exports.json").write_text("[]")
    with pytest.raises(
        UserError, match=f"run_dir={tmp_path} is a .* whose epochs can't be changed"
    ):
        train.run(Config(**{**given, "epochs": 3}))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"unlabelled": ()}, "needs `unlabelled`, texts to answer"),
        ({"teacher": ("big",), "regularizer": ("distill",)}, "can't be combined"),
        ({"train_on_validation": True}, "needs a validation split"),
        ({"self_training": None}, "needs `teacher`, a model that answers its texts; or `self"),
        ({"task": "regression(train='a.csv')", "data": ()}, "needs one label for each text"),
    ],
)
def test_what_does_not_fit_is_refused(changes, reason, settings):
    given = {**settings, **changes}
    if "task" in changes:
        given |= {"validation_data": (), "test_data": (), "class_weights": None}
    with pytest.raises(UserError, match=reason):
        Config(**given)


@pytest.mark.matrix
def test_without_a_confident_answer_the_run_is_that_on_labels(settings, tmp_path, caplog):
    caplog.set_level("INFO")
    own = {"self_training": "rounds(confidence=1.0)", "run_dir": str(tmp_path / "run")}
    train.run(Config(**{**settings, **own}))
    assert "answers is confident enough; the highest probability is" in caplog.text
    assert not (tmp_path / "run" / "rounds" / "1").exists()
    assert _metrics(tmp_path / "run")["train"]["best_round"] == 0


@pytest.mark.matrix
def test_rounds_end_when_validation_gets_worse(settings, tmp_path, caplog):
    """Wrong labels in validation make a round that learns more the worse one."""
    caplog.set_level("INFO")
    other = {"positive": "negative", "negative": "positive"}
    wrong = [(text, other[label]) for text, label in _rows("train.tsv")[20:60]]
    own = {
        "validation_data": (_write(tmp_path / "wrong.csv", wrong),),
        "self_training": "rounds(count=3, confidence=0.5)",
        "run_dir": str(tmp_path / "run"),
    }
    train.run(Config(**{**settings, **own}))
    rounds = _metrics(tmp_path / "run")["train"]["rounds"]
    keys = [(-row["accuracy"], row["loss"]) for row in rounds]
    assert all(later <= before for before, later in itertools.pairwise(keys[:-1]))
    assert len(rounds) == 4 or keys[-1] > keys[-2]
    assert ("validation got worse" in caplog.text) == (len(rounds) < 4)


@pytest.mark.matrix
def test_rounds_after_pairs_of_texts_share_the_encoder(settings, tmp_path):
    own = {"few_shot": "contrastive(pairs=2)", "run_dir": str(tmp_path / "run")}
    train.run(Config(**{**settings, **own}))
    folders = [tmp_path / "run", *(tmp_path / "run" / "rounds" / n for n in "01")]
    first, *others = [(f / "pairs" / "weights.safetensors").read_bytes() for f in folders]
    assert others == [first, first]


STOPS = {"first": 1, "second": 3}


@pytest.mark.parametrize("where", matrix(STOPS, default=[]))
def test_a_stopped_run_ends_as_one_that_was_not(where, settings, run, tmp_path, monkeypatch):
    config = Config(**settings, run_dir=str(tmp_path / "run"))
    state._stop_after(STOPS[where], monkeypatch)
    with pytest.raises(Stopped, match=f"repeat the command with run_dir={tmp_path / 'run'}[.]"):
        train.run(config)
    train.run(config)
    assert state._outcome(tmp_path / "run") == state._outcome(run)
    assert _metrics(tmp_path / "run")["train"]["rounds"] == _metrics(run)["train"]["rounds"]


@pytest.mark.matrix
def test_a_run_whose_last_step_was_interrupted_needs_no_training(settings, run, tmp_path):
    """A run that ended between its rounds and its exports only has to export."""
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "exports.json").unlink()
    train.run(Config(**settings, run_dir=str(tmp_path / "run")))
    assert state._outcome(tmp_path / "run") == state._outcome(run)


@pytest.mark.matrix
def test_a_run_killed_while_it_takes_over_the_best_round_needs_no_training(
    settings, run, tmp_path, monkeypatch, caplog
):
    caplog.set_level("INFO")
    copied, copy = [], self_training._copy

    def killed(source, target):
        if len(copied) == 2:
            raise KeyboardInterrupt
        copied.append(target)
        copy(source, target)

    monkeypatch.setattr(self_training, "_copy", killed)
    with pytest.raises(KeyboardInterrupt):
        train.run(Config(**settings, run_dir=str(tmp_path / "run")))
    monkeypatch.setattr(self_training, "_copy", copy)
    train.run(Config(**settings, run_dir=str(tmp_path / "run")))
    assert state._outcome(tmp_path / "run") == state._outcome(run)
    assert "training is complete; what is left is the evaluation" in caplog.text
