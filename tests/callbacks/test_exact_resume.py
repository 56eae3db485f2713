"""An interrupted `fit` of any Keras model that is repeated ends as one that was not interrupted."""

import logging
import pathlib
import shutil
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import config

import ftkeras
from ftkeras.callbacks import ExactResume
from tests.callbacks import fits
from tests.callbacks.fits import CASES, STEPS, Case
from tests.matrix import matrix

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", matrix(CASES, default=["dataset"]))
def test_interrupted_fit_ends_as_one_that_was_not(name, tmp_path, capfd):
    case = CASES[name]
    unbroken = fits.fit(case, tmp_path / "unbroken" if case.is_shifted else None)
    folder = tmp_path / "backup"
    fits.interrupt(case, folder, steps=4 // case.count)
    fits.interrupt(case, folder, epoch=0)
    fits.interrupt(case, folder, steps=-(-STEPS // case.count) + 1)
    resumed = fits.fit(case, folder)
    assert resumed.trained[0] > (0, STEPS - 1)  # it did not start again
    fits.require_equal(resumed, unbroken)
    assert not folder.exists()
    assert "is not saved" not in capfd.readouterr().err


@pytest.mark.parametrize("steps", matrix(range(1, STEPS + 1), default=[STEPS]))
def test_fit_resumes_after_any_step_of_an_epoch(steps, tmp_path, unbroken):
    case = Case(save_freq=1)
    fits.interrupt(case, tmp_path, steps=steps + 1)
    resumed = fits.fit(case, tmp_path)
    assert resumed.trained[0] == (divmod(steps, STEPS))
    fits.require_equal(resumed, unbroken)


@pytest.fixture(scope="module")
def unbroken():
    """Return the outcome of a training that nothing interrupted."""
    return fits.fit(Case(), None)


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """Return a folder of two checkpoints, after steps 2 and 4, which tests must copy."""
    folder = tmp_path_factory.mktemp("interrupted") / "backup"
    fits.interrupt(Case(), folder, steps=5)
    return folder


@pytest.fixture
def backup(interrupted, tmp_path):
    """Return a copy of the interrupted training's folder."""
    return shutil.copytree(interrupted, tmp_path / "backup")


def test_damaged_checkpoint_is_passed_over(backup, unbroken, caplog):
    newest = sorted(backup.iterdir())[-1]
    content = bytearray(newest.read_bytes())
    content[-100] ^= 1
    newest.write_bytes(content)
    logger = logging.getLogger("ftkeras")
    logger.addHandler(caplog.handler)
    try:
        resumed = fits.fit(Case(), backup)
    finally:
        logger.removeHandler(caplog.handler)
    assert newest.name in caplog.text
    assert "resuming after step 2 of epoch 1" in caplog.text
    fits.require_equal(resumed, unbroken)


def test_file_that_was_half_written_is_removed(backup):
    half = backup / ".update-000000009.epoch-00000.safetensors.12.partial"
    half.touch()
    (backup / "notes.txt").write_text("mine")
    fits.fit(Case(), backup)
    assert [path.name for path in backup.iterdir()] == ["notes.txt"]


def _wider():
    model = keras.Sequential([keras.layers.Dense(7, "tanh"), keras.layers.Dense(2)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


@pytest.mark.parametrize(
    ("changed", "options", "message"),
    [
        (Case(model=_wider), {}, r"another model, optimizer or averages: .* remove the folder"),
        (
            Case(model=lambda: fits.small(optimizer="sgd")),
            {},
            r"another model, optimizer.* optimizer-0/.* is only there, and \d+ more",
        ),
        (Case(), {"x": fits.X + 1}, "arrays of other values.* remove the folder"),
        (Case(), {"batch_size": 5}, r"the number of batches=8 \(5 there\), `batch_size`=5 \(8"),
        (Case(fits.dataset), {}, r"`x`=a tf.data.Dataset \(arrays there\)"),
        (Case(), {"epochs": 0}, "`epochs`=0: the checkpoint in .* is in epoch 1; pass more"),
    ],
    ids=["layers", "optimizer", "values", "batches", "kind", "epochs"],
)
def test_other_training_is_refused(backup, changed, options, message):
    with pytest.raises(ftkeras.UserError, match=message):
        fits.fit(changed, backup, **options)


def test_missing_callback_is_refused(tmp_path):
    fits.interrupt(Case(callbacks=fits.monitoring), tmp_path, steps=3)
    with pytest.raises(ftkeras.UserError, match="lacks EarlyStopping, ReduceLROnPlateau"):
        fits.fit(Case(), tmp_path)


def _shuffled() -> dict:
    tf.random.set_seed(None)
    rows = tf.data.Dataset.from_tensor_slices((fits.X, fits.Y)).shuffle(9)
    return {"x": rows.batch(fits.BATCH)}


def _nested() -> dict:
    """Return data whose shuffle is made within a function of the dataset."""
    tf.random.set_seed(None)
    rows = tf.data.Dataset.from_tensor_slices((fits.X, fits.Y))
    halves = tf.data.Dataset.range(2)
    return {"x": halves.flat_map(lambda n: rows.shard(2, n).shuffle(9).batch(fits.BATCH))}


def _arrays() -> dict:
    tf.random.set_seed(None)
    return fits.arrays()


@pytest.fixture
def unseeded_operations():
    """Allow random operations without a seed, which a run of another test may have forbidden."""
    forbidden = config.is_op_determinism_enabled()
    config.disable_op_determinism()
    yield
    if forbidden:
        config.enable_op_determinism()


@pytest.mark.usefixtures("unseeded_operations")
@pytest.mark.parametrize(
    ("data", "operation"),
    [
        (_shuffled, "ShuffleDataset"),
        pytest.param(_nested, "ShuffleDatasetV3", marks=pytest.mark.matrix),
        pytest.param(_arrays, "RandomShuffle", marks=pytest.mark.matrix),
    ],
)
def test_order_without_a_seed_is_reported_and_epochs_are_saved(data, operation, tmp_path, capfd):
    case = Case(data, save_freq=1)
    fits.interrupt(case, tmp_path, epoch=1)
    said = capfd.readouterr().err
    assert f"the training data can't be repeated ({operation} has no seed)" in said
    assert "Give each `shuffle` a seed" in said
    assert fits.fit(case, tmp_path).trained[0] == (1, 0)


def test_state_that_would_be_lost_is_reported(tmp_path, capfd):
    class Counts(keras.callbacks.Callback):
        count = 0

        def on_train_batch_end(self, batch, logs=None):
            self.count += 1

    fits.fit(Case(callbacks=lambda _: [Counts(), keras.callbacks.TerminateOnNaN()]), tmp_path)
    assert "Counts.count changed in training and is not saved" in capfd.readouterr().err


def test_callbacks_after_it_are_refused():
    model = fits.small()
    callbacks = [ExactResume("unused"), keras.callbacks.EarlyStopping("loss")]
    with pytest.raises(ftkeras.UserError, match="at their end.* after it: EarlyStopping"):
        model.fit(fits.X, fits.Y, verbose=0, callbacks=callbacks)
    assert not pathlib.Path("unused").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backup_dir": ""}, "`backup_dir` must name a folder"),
        ({"backup_dir": None}, "`backup_dir` must name a folder. Received: None"),
        ({"save_freq": "batch"}, "`save_freq` must be 'epoch' or a number of steps. .*'batch'"),
        ({"save_freq": 0}, "`save_freq` must be an integer of at least 1"),
        ({"keep": 0}, "`keep` must be an integer of at least 1"),
    ],
)
def test_wrong_argument_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ExactResume(**{"backup_dir": "unused", **arguments})


@pytest.mark.process
def test_killed_process_ends_as_one_that_was_not(tmp_path):
    def run(*death):
        command = [sys.executable, "-m", "tests.callbacks.killed_fit", str(tmp_path / "x"), *death]
        return subprocess.run(command, cwd=ROOT, capture_output=True, check=False)

    for death in (
        ("tests.callbacks.fits:Interrupts.on_train_batch_end", "5"),  # between two checkpoints
        ("safetensors.numpy:save_file", "2"),  # while a checkpoint is written
    ):
        died = run(*death)
        assert died.returncode == -signal.SIGKILL, (death, died.stderr)
    done = run()
    assert done.returncode == 0, done.stderr
    assert b"resuming after step 1 of epoch 2" in done.stdout  # the sixth step, the second save
    unbroken = fits.fit(CASES["dataset"], tmp_path / "unbroken")
    killed = np.load(tmp_path / "x.npz")
    for number, value in enumerate(unbroken.variables):
        assert killed[f"variable {number}"].tobytes() == value.tobytes(), number
    for name, values in unbroken.history.items():
        assert killed[f"history {name}"].tolist() == values
    assert not (tmp_path / "x").exists()
