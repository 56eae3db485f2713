"""TPUs, as far as no TPU is needed: XLA compiles whole steps of one shape, and lowers them.

TPUStrategy compiles a step as XLA does here, for another processor: an op that XLA has not, or a
shape that is not known before, fails in both. No step was ever run on a TPU.
"""

import importlib.util
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from ftkeras import catalog
from ftkeras.data.feed import TrainingFeed
from tests.strategies import tiny
from tests.strategies.settings import OPTIMIZERS
from tests.strategies.tiny import Setting

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Another interpreter that has jax, where this one has not.
PYTHON = os.environ.get("FTKERAS_JAX_PYTHON", sys.executable)


def batches(setting: Setting) -> tf.data.Dataset:
    batching = catalog.build(
        "batching",
        "packed",
        batch_size=setting.batch,
        pad_id=0,
        max_length=8,
        parts=setting.accumulate,
    )
    return TrainingFeed(tiny.examples(13), batching, seed=0).dataset(0)


def test_packed_batches_have_one_shape():
    for spec in tf.nest.flatten(batches(Setting()).element_spec):
        assert spec.shape.is_fully_defined()


@pytest.mark.matrix
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_train_step_compiles_whole(name):
    _compiles_as_it_runs(OPTIMIZERS[name], "train_step")


@pytest.mark.matrix
def test_train_step_with_micro_batches_and_dropout_compiles_whole():
    _compiles_as_it_runs(Setting(accumulate=2, dropout=0.1), "train_step", same=False)


@pytest.mark.matrix
def test_eval_step_compiles_whole():
    _compiles_as_it_runs(Setting(), "test_step")


def _compiles_as_it_runs(setting: Setting, step: str, *, same: bool = True) -> None:
    """`jit_compile=True` leaves nothing outside: what XLA has not is an error."""
    batch = next(iter(batches(setting)))
    losses = []
    for compiled in (False, True):
        model, _ = tiny.compiled(setting)
        run = tf.function(getattr(model, step), jit_compile=compiled, autograph=False)
        losses.append([float(run(batch)["loss"]) for _ in range(3)])
        assert run.experimental_get_tracing_count() == 1
    assert np.all(np.isfinite(losses))
    if same:
        assert losses[1] == pytest.approx(losses[0], rel=1e-4)


@pytest.mark.process
def test_step_lowers_for_tpus():
    if sys.executable == PYTHON and importlib.util.find_spec("jax") is None:
        pytest.skip("needs jax; FTKERAS_JAX_PYTHON may name an interpreter that has it")
    done = subprocess.run(
        [PYTHON, "-m", "tests.strategies.lowered"],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    platforms, size = done.stdout.split()
    assert platforms == "tpu"
    assert int(size) > 10_000
