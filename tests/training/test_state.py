"""An interrupted and resumed run equals an uninterrupted one, bit by bit, in one process."""

import contextvars
import csv
import json
import os
import pathlib
import resource
import signal

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.checkpoints import tensor_file
from ftkeras.checkpoints.training_state import Checkpoints
from ftkeras.config.run import Config
from ftkeras.errors import Stopped, UserError
from ftkeras.losses.cross_entropy import CrossEntropy
from ftkeras.runs import folder as run_folder
from ftkeras.training.progress import Progress
from ftkeras.verbs import train
from tests.matrix import matrix

TWO_LAYERS = "bert(vocabulary='reviews', layers=2, hidden=16, heads=2)"
SMALL = {
    "task": "quickstart",
    "encoder": "bert(vocabulary='reviews', layers=1, hidden=16, heads=2)",
    "learning_rate": 1e-2,
    "train_examples": 70,
    "validation_examples": 20,
    "test_examples": 20,
    "max_length": 16,
    "batch_size": 16,
    "epochs": 3,
    "export": (),
}
# Together they contain every part that has a state.
RUNS = {
    "averaged": {
        "average": "ema(decay=0.9)",
        "optimizer": "lion",
        "regularizer": ("r_drop", "mixout(p=0.5)"),
        "accumulate": 2,
        "batching": "padded",
    },
    "by_validation": {
        "encoder": TWO_LAYERS,
        "schedule": "reduce_on_plateau(factor=0.3, by='loss', least_gain=1.0)",
        "average": "swa",
        "regularizer": ("layer_drop(p=0.5)", "embedding_noise"),
        "optimizer": "adafactor",
        "class_weights": "balanced",
    },
    "thawed": {
        "encoder": TWO_LAYERS,
        "policy": ("gradual_unfreezing(layers=1)", "layerwise(decay=0.8)"),
        "average": "ema(decay=0.9)",
        "early_stopping": 1,
    },
    "low_rank": {
        "policy": ("lora(rank=2)",),
        "regularizer": ("freelb(steps=2)", "l2_sp"),
        "optimizer": "lamb",
        "oversample": True,
        "batching": "padded",
    },
    "replicated": {"strategy": "mirrored(logical_devices=2)", "average": "ema(decay=0.9)"},
    "features": {
        "policy": ("head_only",),
        "oversample": True,
        "average": "ema(decay=0.9)",
        "regularizer": ("r_drop",),
    },
    "within_epoch": {
        "evaluate_every": 2,
        "objective": "f1",
        "average": "ema(decay=0.9)",
        "track": ("csv(every=2)",),
        "learning_rate": 5e-2,
    },
    "private": {
        "private": "dp_sgd(noise=1.0, delta=1e-3, seed=3)",
        "batching": "padded",
        "average": "ema(decay=0.9)",
    },
    "pretraining": {
        "task": "masked_lm(of='quickstart', masking='spans(mean=2)')",
        "strategy": "mirrored(logical_devices=2)",
        "batching": "packed",
    },
    "packed": {"batching": "packed", "optimizer": "sgd(momentum=0.9)", "policy": ("adapters",)},
}


def _stop_after(
    times: int, patch: pytest.MonkeyPatch, *, method: str = "on_train_batch_end"
) -> None:
    """Send this process a signal when a callback has been called so often: after so many steps."""
    real, done = getattr(Progress, method), []

    def counting(*args, **named):
        real(*args, **named)
        done.append(named)
        if len(done) == times:
            os.kill(os.getpid(), signal.SIGTERM)

    patch.setattr(Progress, method, counting)


@pytest.fixture
def stop(monkeypatch):
    """Return a function that has the next run interrupted after a number of steps."""
    return lambda steps: _stop_after(steps, monkeypatch)


def _config(folder: pathlib.Path, **settings) -> Config:
    return Config(**{**SMALL, "run_dir": str(folder), **settings})


def _outcome(folder: pathlib.Path) -> dict:
    rows = list(csv.DictReader((folder / "history.csv").open()))
    tables = ("evaluations.csv", "steps.csv")
    return {
        **{name: (folder / name).read_text() for name in tables if (folder / name).exists()},
        "weights": (folder / "weights.safetensors").read_bytes(),
        "predictions": (folder / "predictions.jsonl").read_bytes(),
        "history": [{k: v for k, v in row.items() if k != "seconds"} for row in rows],
    }


@pytest.mark.parametrize("name", matrix(RUNS, default=[]))
def test_stopped_run_ends_as_one_that_was_not(name, tmp_path, stop):
    train.run(_config(tmp_path / "unbroken", **RUNS[name]))
    # Within an epoch, after its last step, and in a later epoch.
    for number in (2, 3, 4):
        stop(number)
        with pytest.raises(Stopped):
            train.run(_config(tmp_path / "run", **RUNS[name]))
    train.run(_config(tmp_path / "run", **RUNS[name]))
    expected, outcome = _outcome(tmp_path / "unbroken"), _outcome(tmp_path / "run")
    for figure in expected:
        assert outcome[figure] == expected[figure], figure


@pytest.mark.matrix
@pytest.mark.parametrize("average", ["swa(start=0.0)", "ema(decay=0.9)"])
def test_run_stopped_in_validation_ends_as_one_that_was_not(average, tmp_path, monkeypatch):
    train.run(_config(tmp_path / "unbroken", average=average))
    _stop_after(2, monkeypatch, method="on_test_begin")
    with pytest.raises(Stopped, match="after step 5 of epoch 2"):
        train.run(_config(tmp_path / "run", average=average))
    train.run(_config(tmp_path / "run", average=average))
    assert _outcome(tmp_path / "run") == _outcome(tmp_path / "unbroken")


@pytest.mark.matrix
def test_best_weights_may_come_from_within_an_epoch(tmp_path):
    settings = RUNS["within_epoch"]
    train.run(_config(tmp_path / "within", **settings))
    train.run(_config(tmp_path / "plain", **{**settings, "evaluate_every": None}))
    within, plain = _outcome(tmp_path / "within"), _outcome(tmp_path / "plain")
    assert within["history"] == plain["history"]  # training does not notice
    rows = list(csv.DictReader((tmp_path / "within" / "evaluations.csv").open()))
    assert [(row["epoch"], row["step"]) for row in rows] == [
        (epoch, step) for epoch in "123" for step in "24"
    ]
    metrics = json.loads((tmp_path / "within" / "metrics.json").read_text())
    candidates = [*rows, *within["history"]]
    best = max(candidates, key=lambda row: (float(row["val_f1"]), -float(row["val_loss"])))
    assert metrics["validation"]["f1"] == pytest.approx(float(best["val_f1"]), abs=1e-6)
    assert metrics["train"]["best_epoch"] == int(best["epoch"])
    assert metrics["train"].get("best_step") == (int(best["step"]) if "step" in best else None)


@pytest.mark.matrix
def test_longer_run_is_gone_on_with(tmp_path, capsys):
    settings = {"schedule": "constant", "warmup": "0"}
    train.run(_config(tmp_path / "unbroken", **settings))
    train.run(_config(tmp_path / "run", **settings, epochs=1, keep_state=True))
    train.run(_config(tmp_path / "run", **settings))
    assert _outcome(tmp_path / "run") == _outcome(tmp_path / "unbroken")
    capsys.readouterr()
    train.run(_config(tmp_path / "run", **settings))  # there is nothing left to do
    assert "is finished" in capsys.readouterr().out
    with pytest.raises(UserError, match="epochs=2: .*3 epochs.*`restart`"):
        train.run(_config(tmp_path / "run", **settings, epochs=2))


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """Return the folder of a run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    train.run(_config(folder))
    return folder


@pytest.mark.matrix
@pytest.mark.parametrize("damage", ["one bit", "cut"])
def test_damaged_checkpoint_is_passed_over(damage, unbroken, tmp_path, stop, capsys):
    settings = {"checkpoint_every": "3"}
    stop(7)
    with pytest.raises(Stopped):
        train.run(_config(tmp_path / "run", **settings))
    _, newest = Checkpoints(tmp_path / "run" / "checkpoints", keep=2).paths()
    torn = bytearray(newest.read_bytes())
    torn[-100] ^= 1
    newest.write_bytes(torn if damage == "one bit" else torn[:-100])
    capsys.readouterr()
    train.run(_config(tmp_path / "run", **settings))
    said = capsys.readouterr()
    assert newest.name in said.err
    assert "the one before it is used" in said.err
    assert "resuming at step 2 of epoch 2" in said.out  # the sixth update was kept, five an epoch
    assert _outcome(tmp_path / "run") == _outcome(unbroken)


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """Return the folder of a run interrupted after its first step, which tests must not resume."""
    folder = tmp_path_factory.mktemp("interrupted") / "run"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Stopped):
        _stop_after(1, patch)
        train.run(_config(folder))
    return folder


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"batch_size": 8}, "`batch_size`=8 .there 16"),
        ({"seed": 7}, "`seed`=7"),
        ({"train_examples": 71}, "`train_examples`=71"),
        ({"encoder": TWO_LAYERS}, "`encoder`=.*layers=2.*layers=1"),
    ],
)
def test_run_of_other_settings_is_refused(interrupted, changed, named):
    with pytest.raises(UserError, match=f"{named}.*`restart`"):
        train.run(_config(interrupted, **changed))


@pytest.mark.matrix
def test_restart_begins_anew_and_leaves_what_is_not_the_runs(unbroken, tmp_path, stop, capsys):
    stop(7)
    with pytest.raises(Stopped):
        train.run(_config(tmp_path / "run", seed=1))
    (tmp_path / "run" / "notes.txt").write_text("mine")
    capsys.readouterr()
    train.run(_config(tmp_path / "run", restart=True))
    assert "resuming" not in capsys.readouterr().out
    assert _outcome(tmp_path / "run") == _outcome(unbroken)
    assert (tmp_path / "run" / "notes.txt").read_text() == "mine"


def test_other_data_under_the_same_settings_is_refused(interrupted, monkeypatch):
    sample = "ftkeras.data.sampling.stratified_sample"
    monkeypatch.setattr(sample, lambda *_, **__: np.arange(1, 71))
    with pytest.raises(UserError, match="other training examples"):
        train.run(_config(interrupted))


@pytest.mark.matrix
def test_only_the_newest_checkpoints_stay(tmp_path):
    settings = {"checkpoint_every": "2", "keep_state": True}
    train.run(_config(tmp_path / "one", epochs=2, **settings))
    (left,) = Checkpoints(tmp_path / "one" / "checkpoints", keep=1).paths()
    assert left.name.startswith("update-000000010")


def test_folder_in_use_is_refused(tmp_path):
    with (
        run_folder.lock(tmp_path / "run", restart=False),
        pytest.raises(UserError, match="in use by another process"),
    ):
        # A process of its own does not know what this one has locked.
        contextvars.Context().run(train.run, _config(tmp_path / "run"))
    with run_folder.lock(tmp_path / "run", restart=False):
        pass  # the process that held it has gone


@pytest.fixture
def third_loss_is_nan(monkeypatch):
    """Make the loss of the third step of a run NaN, and with it the gradients."""
    real, calls = CrossEntropy.call, tf.Variable(0)

    def call(self, labels, logits):
        third = tf.equal(calls.assign_add(1), 3)
        return real(self, labels, logits) * tf.where(third, np.nan, 1.0)

    monkeypatch.setattr(CrossEntropy, "call", call)


@pytest.mark.usefixtures("third_loss_is_nan")
def test_loss_that_is_no_number_stops_the_run_and_nothing_of_it_is_kept(tmp_path):
    with pytest.raises(UserError, match="loss is nan at step 3 of epoch 1.*rate .*norm nan"):
        train.run(_config(tmp_path / "run", checkpoint_every="1"))
    _, newest = Checkpoints(tmp_path / "run" / "checkpoints", keep=2).paths()
    assert newest.name.startswith("update-000000002")


@pytest.mark.matrix
@pytest.mark.usefixtures("third_loss_is_nan")
def test_step_that_is_no_number_is_skipped_where_that_is_asked_for(tmp_path, capsys):
    train.run(_config(tmp_path / "run", on_nan="skip"))
    assert "1 update skipped" in capsys.readouterr().out
    rows = _outcome(tmp_path / "run")["history"]
    assert all(np.isfinite(float(row["loss"])) for row in rows)


@pytest.mark.matrix
def test_training_is_told_of_where_the_evaluation_is_broken_off(tmp_path, monkeypatch):
    def broken_off(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("ftkeras.experiment.evaluation.evaluate", broken_off)
    with pytest.raises(KeyboardInterrupt, match="Training is done"):
        train.run(_config(tmp_path / "run", epochs=1))
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["train"]["steps"] == 5


@pytest.mark.matrix
def test_speed_of_a_run_that_stopped_counts_all_its_seconds(tmp_path, stop):
    stop(4)
    with pytest.raises(Stopped):
        train.run(_config(tmp_path / "run"))
    told = Checkpoints(tmp_path / "run" / "checkpoints", keep=1).newest().facts["Progress"]
    assert told["steps"] == 3  # but the first
    assert told["seconds"] > 0


@pytest.mark.matrix
def test_disk_that_is_full_ends_the_run_and_leaves_the_checkpoints_before(tmp_path, monkeypatch):
    real, written = tensor_file.write, []

    def to_a_full_disk(path, tensors, facts):
        written.append(path)
        room = resource.RLIM_INFINITY if len(written) < 3 else 10_000
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        try:
            real(path, tensors, facts)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))

    monkeypatch.setattr(tensor_file, "write", to_a_full_disk)
    with pytest.raises(OSError, match="large") as failed:
        train.run(_config(tmp_path / "run", checkpoint_every="2"))
    assert pathlib.Path(failed.value.filename).parent == tmp_path / "run" / "checkpoints"
    monkeypatch.setattr(tensor_file, "write", real)
    assert Checkpoints(tmp_path / "run" / "checkpoints", keep=2).newest().updates == 4
    train.run(_config(tmp_path / "run"))
