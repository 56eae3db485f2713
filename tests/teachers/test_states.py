"""Runs that learn what a teacher's layers compute, and teachers that do not fit."""

import json

import pytest

from ftkeras.config.run import Config
from ftkeras.errors import Stopped, UserError
from ftkeras.experiment import build
from ftkeras.teachers import states, teacher_answers
from ftkeras.verbs import train
from tests import finished
from tests.matrix import matrix
from tests.training import test_state as state

WIDTH, HEADS = (
    json.loads((finished.ENCODER / "config.json").read_text())[name]
    for name in ("hidden_size", "num_attention_heads")
)
VOCABULARY = str(finished.ENCODER)


def _student(hidden=WIDTH, heads=HEADS, vocabulary=VOCABULARY):
    return f"bert(layers=1, hidden={hidden}, heads={heads}, vocabulary='{vocabulary}')"


def _hand_over(*teachers, match="hidden", **settings):
    config = Config(
        **{
            **state.SMALL,
            "encoder": _student(),
            "regularizer": (f"distill_states(match='{match}')",),
            "teacher": tuple(map(str, teachers)),
            **settings,
        }
    )
    experiment = build.experiment(config)
    states.hand_over(experiment, teacher_answers.open_teachers(experiment))


def test_another_vocabulary_is_refused(finished_run, tmp_path):
    """The other vocabulary has the same tokens, two of them in another order."""
    tokens = (finished.ENCODER / "vocab.txt").read_text(encoding="utf-8").splitlines()
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join([*tokens[:-2], tokens[-1], tokens[-2]]) + "\n", encoding="utf-8")
    with pytest.raises(UserError, match="has another vocabulary than the encoder"):
        _hand_over(finished_run / "run", encoder=_student(vocabulary=path))


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"encoder": _student(2 * WIDTH)}, f"hidden={WIDTH}, but the encoder has hidden="),
        (
            {"encoder": _student(heads=1), "match": "attention"},
            f"heads={HEADS}, but the encoder has heads=1; both need the same",
        ),
    ],
)
def test_another_size_is_refused(settings, reason, finished_run):
    with pytest.raises(UserError, match=reason):
        _hand_over(finished_run / "run", **settings)


@pytest.mark.matrix
def test_it_needs_one_run(finished_run):
    run, export = finished_run / "run", finished_run / "saved_models" / "quickstart"
    for teachers in ((run, run), (export,)):
        with pytest.raises(UserError, match="needs one teacher, and the folder of its run"):
            _hand_over(*teachers)


RUNS = {
    "hidden": ("distill_states(match='hidden')",),
    "both": ("distill(temperature=2)", "distill_states(match='attention', weight=0.5)"),
}


@pytest.mark.parametrize("name", matrix(RUNS, default=[]))
def test_a_stopped_run_ends_as_one_that_was_not(name, finished_run, tmp_path, monkeypatch):
    settings = {
        **state.SMALL,
        "encoder": _student(),
        "regularizer": RUNS[name],
        "teacher": (str(finished_run / "run"),),
        "accumulate": 2,
    }
    train.run(Config(**settings, run_dir=str(tmp_path / "unbroken")))
    config = Config(**settings, run_dir=str(tmp_path / "run"))
    state._stop_after(4, monkeypatch)
    with pytest.raises(Stopped):
        train.run(config)
    train.run(config)
    assert state._outcome(tmp_path / "run") == state._outcome(tmp_path / "unbroken")
