"""Lazy Adam leaves alone the rows of an embedding that no step looks up."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment import build, optimization
from ftkeras.optimizers.adamw import AdamW
from ftkeras.optimizers.lamb import Lamb
from tests.optimizers.algorithms import adamw
from tests.strategies import tiny
from tests.strategies.tiny import Setting
from tests.training.test_state import SMALL

TABLE = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
LOOKED_UP = [[1, 4, 1], [4, 2, 2], [1, 1, 5]]  # never row 0 or row 3


def _steps(lazy: bool, clip_norm: float = 0.0, jit_compile: bool = False) -> np.ndarray:
    """Return the table after a step on each of LOOKED_UP; the loss is half the sum of squares."""
    table = keras.Variable(TABLE, name="token_embedding")
    optimizer = catalog.build(
        "optimizer",
        f"adamw(decay=0.1, lazy={lazy})",
        learning_rate=0.01,
        clip_norm=clip_norm,
        multipliers=(),
    )
    optimizer.build([table])

    @tf.function(jit_compile=jit_compile)
    def step(ids):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(tf.gather(table.value, ids))) / 2
        optimizer.apply_gradients([(tape.gradient(loss, table.value), table)])

    for ids in LOOKED_UP:
        step(tf.constant(ids))
    return table.numpy()


@pytest.mark.parametrize("clip_norm", [0.0, 0.5])
def test_rows_looked_up_take_adamws_step_and_others_do_not_change(clip_norm):
    expected, states = TABLE.astype(float), [{} for _ in TABLE]
    for t, ids in enumerate(LOOKED_UP, 1):
        rows, counts = np.unique(ids, return_counts=True)
        gradients = counts[:, None] * expected[rows]
        if clip_norm:
            gradients *= min(1, clip_norm / np.linalg.norm(gradients))
        for row, gradient in zip(rows, gradients, strict=True):
            expected[row] = adamw(states[row], expected[row], gradient, "", t, 0.01, 0.1)
    found = _steps(True, clip_norm)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found[[0, 3]], TABLE[[0, 3]])
    assert np.abs(_steps(False, clip_norm)[[0, 3]] - TABLE[[0, 3]]).min() > 0


def test_lazy_step_under_xla_is_the_same():
    np.testing.assert_allclose(_steps(True, 0.5, jit_compile=True), _steps(True, 0.5), rtol=1e-5)


@pytest.mark.matrix
@pytest.mark.parametrize("batching", ["padded", "packed"])
def test_two_replicas_are_as_lazy_as_one(batching):
    devices = catalog.build("strategy", "mirrored(logical_devices=2)").open()
    setting = Setting(optimizer="adamw(lazy=True)", batching=batching)
    one, two = tiny.run(setting), tiny.run(setting, devices)
    for path, value in one.weights.items():
        np.testing.assert_allclose(two.weights[path], value, atol=1e-5, err_msg=path)


@pytest.mark.matrix
def test_loss_scale_of_float16_is_undone_for_rows_too():
    setting = Setting(optimizer="adamw(lazy=True)", scales_loss=True)
    scaled, plain = tiny.run(setting), tiny.run(Setting(optimizer="adamw(lazy=True)"))
    for path, value in plain.weights.items():
        np.testing.assert_allclose(scaled.weights[path], value, atol=1e-5, err_msg=path)


def test_what_would_update_whole_variables_is_refused():
    with pytest.raises(ValueError, match="`lazy`.*Received: gradient_accumulation_steps=2"):
        AdamW(lazy=True, gradient_accumulation_steps=2)
    with pytest.raises(ValueError, match="`lazy` must be False for lamb.*Received: True"):
        Lamb(lazy=True)
    assert not Lamb.from_config(Lamb().get_config()).lazy


def test_lazy_rows_with_accumulation_are_refused():
    experiment = build.experiment(
        Config(**{**SMALL, "optimizer": "adamw(lazy=True)", "accumulate": 2})
    )
    with pytest.raises(UserError, match=r"optimizer=adamw\(lazy=True\).*accumulate=2"):
        optimization.compile_to_train(experiment, total_steps=1)
