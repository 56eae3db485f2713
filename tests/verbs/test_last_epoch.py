"""Runs that end before the schedule does, and runs that train on validation too."""

import csv
import json

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.config.run import Config
from ftkeras.data.splits import open_splits
from ftkeras.errors import UserError
from ftkeras.experiment import checks
from ftkeras.problems.classification import Classification
from tests.running import QUICK, succeed

SMALL = "--encoder=bert(layers=1, hidden=16, heads=2, positions=64, vocabulary='reviews')"


@pytest.mark.matrix
def test_run_in_two_parts_equals_one_run(tmp_path):
    command = [*QUICK, SMALL, "--epochs=3", "--train_examples=200", "--export=none"]
    succeed(*command, "--run_dir=whole", cwd=tmp_path)
    command.append("--run_dir=run")
    output = succeed(*command, "--last_epoch=1", cwd=tmp_path)
    assert "the first 1 of 3 epochs" in output
    assert len((tmp_path / "run/history.csv").read_text().splitlines()) == 2
    succeed(*command, cwd=tmp_path)
    one, two = (tmp_path / run / "weights.safetensors" for run in ("whole", "run"))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.matrix
def test_the_last_epoch_is_kept_without_validation(tmp_path):
    succeed(
        *QUICK,
        SMALL,
        "--epochs=3",
        "--last_epoch=2",
        "--train_on_validation",
        "--validation_examples=40",
        "--run_dir=run",
        "--export=none",
        cwd=tmp_path,
    )
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())
    assert metrics["data"]["train"] == 640
    assert metrics["train"]["best_epoch"] == 2
    assert "validation" not in metrics
    assert 0 < metrics["test"]["accuracy"] <= 1
    rows = list(csv.DictReader((tmp_path / "run/history.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert not [name for name in rows[0] if name.startswith("val_")]


class Numbers:
    """Write 60 texts to train on, 20 for validation or none, and 4 to test."""

    pairs, needs_test, guards_test = False, True, False
    problem_class = Classification

    def __init__(self, *, own_validation: bool):
        self.own_validation = own_validation

    def problem(self):
        return Classification(labels=("even", "odd"))

    def splits(self):
        ends = {"train": (0, 60), "test": (500, 504)}
        ends |= {"validation": (60, 80)} if self.own_validation else {}
        return {name: self._texts(*of) for name, of in ends.items()}

    def _texts(self, first, last):
        numbers = np.arange(first, last)
        elements = {"text": numbers.astype(str), "label": numbers % 2}
        return tf.data.Dataset.from_tensor_slices(elements)


def _ids(texts, pairs=None):
    return {
        "token_ids": tf.RaggedTensor.from_tensor(tf.strings.to_number(texts, tf.int32)[:, None])
    }


def _texts_of(task, **settings) -> tuple[set, set]:
    with open_splits(Config(cache_dir="none", **settings), task, _ids) as splits:
        parts = [part for part in (splits.train, splits.validation) if part is not None]
        return tuple({int(part.ids(at)[0]) for at in range(len(part))} for part in parts)


@pytest.mark.parametrize("own_validation", [False, True])
@pytest.mark.parametrize("settings", [{}, {"train_examples": 30, "validation_examples": 4}])
def test_validation_is_trained_on(own_validation, settings):
    task = Numbers(own_validation=own_validation)
    train, validation = _texts_of(task, **settings)
    (whole,) = _texts_of(task, **settings, train_on_validation=True)
    assert whole == train | validation
    assert len(whole) == len(train) + len(validation)


def test_with_folds_the_whole_pool_is_trained_on():
    (whole,) = _texts_of(Numbers(own_validation=True), folds=4, train_on_validation=True)
    assert whole == set(range(80))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"early_stopping": 1}, "early_stopping=1 needs a validation split"),
        ({"test": False}, "leaves nothing to evaluate on"),
        ({"schedule": "reduce_on_plateau"}, "follows the validation metrics"),
    ],
)
def test_settings_that_need_validation_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        checks.check(Config(train_on_validation=True, **settings))
