"""Half precision and XLA change what a step costs, not what is learnt, kept or exported."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ftkeras.config.run import Config
from ftkeras.data.splits import open_splits
from ftkeras.experiment import build, feeds, optimization
from ftkeras.optimizers.adamw import AdamW
from ftkeras.training import weights
from ftkeras.verbs import train
from tests.training.test_state import SMALL

STILL = "bert(vocabulary='reviews', layers=2, hidden=16, heads=2, dropout=0.0, attention_dropout=0)"
SETTINGS = {
    **SMALL,
    "encoder": STILL,
    "head": "classification(dropout=0.0)",
    "batching": "packed",
    "accumulate": 2,
    "average": "ema(decay=0.9)",
    "clip_norm": 0.5,
    "epochs": 2,
}


def _trained(folder, **settings):
    """Train a whole run; return its model, rebuilt from its folder, and its history."""
    config = Config(**{**SETTINGS, "run_dir": str(folder), **settings})
    train.run(config)
    again = build.experiment(config, run_dir=folder)
    weights.load(again.model.saved_variables, folder / "weights.safetensors")
    return again, np.loadtxt(folder / "history.csv", delimiter=",", skiprows=1)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Train that run in float32 without XLA."""
    return _trained(tmp_path_factory.mktemp("plain") / "run")


def _distance(one, other) -> float:
    """Return the distance of two runs' weights, as a share of the distance from their start."""
    start = build.experiment(one.config)
    moved = sum(
        float(np.sum(np.square(a.numpy() - b.numpy())))
        for a, b in zip(one.model.saved_variables, start.model.saved_variables, strict=True)
    )
    apart = sum(
        float(np.sum(np.square(a.numpy() - b.numpy())))
        for a, b in zip(one.model.saved_variables, other.model.saved_variables, strict=True)
    )
    return (apart / moved) ** 0.5


@pytest.mark.matrix
def test_compiled_run_is_the_run(plain, tmp_path):
    experiment, history = _trained(tmp_path / "run", jit_compile="true")
    np.testing.assert_allclose(history[:, :-1], plain[1][:, :-1], rtol=1e-4)
    assert _distance(plain[0], experiment) < 1e-3


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("precision", "jit_compile"),
    [
        pytest.param("mixed_bfloat16", "true", marks=pytest.mark.matrix),
        ("mixed_float16", "false"),
    ],
)
def test_half_precision_learns_what_float32_does(plain, tmp_path, precision, jit_compile):
    settings = {"precision": precision, "jit_compile": jit_compile}
    experiment, history = _trained(tmp_path / "run", **settings)
    np.testing.assert_allclose(history[:, 2], plain[1][:, 2], rtol=0.01)  # the loss
    assert 0 < _distance(plain[0], experiment) < 0.2
    assert {v.dtype for v in experiment.model.weights} == {"float32"}


def test_finished_model_computes_in_float32(tmp_path):
    config = Config(**{**SETTINGS, "run_dir": str(tmp_path / "run"), "precision": "mixed_bfloat16"})
    experiment = build.experiment(config)
    ids = {"token_ids": np.arange(1, 9, dtype="int32")[None]}
    half = experiment.model(ids)
    experiment.model.compute_in_float32()
    whole = experiment.model(ids)
    assert (half.dtype, whole.dtype) == (tf.bfloat16, tf.float32)
    expected = build.experiment(Config(**{**SETTINGS, "precision": "float32"})).model(ids)
    np.testing.assert_array_equal(whole, expected)
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.matrix
def test_step_of_a_fixed_shape_compiles_whole(tmp_path):
    config = Config(**{**SETTINGS, "run_dir": str(tmp_path / "run"), "jit_compile": "true"})
    experiment = build.experiment(config)
    with open_splits(config, experiment.task, experiment.text_layer) as splits:
        feed = feeds.training_feed(experiment, splits)
        optimization.compile_to_train(experiment, total_steps=10, fixed_shape=True)
        step = tf.function(experiment.model.train_step, jit_compile=True)
        for batch in feed.dataset(epoch=0).take(2):
            assert np.isfinite(step(batch)["loss"])
        assert step.experimental_get_tracing_count() == 1


def _optimizer(**settings):
    optimizer = AdamW(learning_rate=0.1, clip_norm=0.0, decay=0.0, **settings)
    variable = keras.Variable([1.0, 2.0], name="kernel")
    optimizer.build([variable])
    return optimizer, variable


def test_scaled_gradients_make_the_update_of_the_loss_itself():
    (plain, expected), (scaled, variable) = _optimizer(), _optimizer(loss_scaling=True)
    assert float(scaled.scale_loss(tf.constant(2.0))) == 2.0 * 2**16
    plain.apply_gradients([(tf.constant([0.5, -3.0]), expected)])
    scaled.apply_gradients([(tf.constant([0.5, -3.0]) * 2**16, variable)])
    np.testing.assert_allclose(variable, expected, rtol=1e-6)
    assert float(scaled.gradient_norm) == pytest.approx(9.25**0.5)


def test_update_that_overflows_is_left_out_and_halves_the_scale():
    optimizer, variable = _optimizer(loss_scaling=True)
    optimizer.apply_gradients([(tf.constant([np.inf, 1.0]), variable)])
    np.testing.assert_array_equal(variable, [1.0, 2.0])
    assert not np.any(optimizer.first[0])
    assert float(optimizer.loss_scale.value) == 2**15
    assert (int(optimizer.skipped), int(optimizer.iterations)) == (1, 1)


def test_scale_doubles_after_enough_good_updates(monkeypatch):
    monkeypatch.setattr("ftkeras.optimizers._loss_scale.GROWTH_INTERVAL", 3)
    optimizer, variable = _optimizer(loss_scaling=True)
    scales = []
    for _ in range(7):
        optimizer.apply_gradients([(tf.ones(2), variable)])
        scales.append(float(optimizer.loss_scale.value) / 2**16)
    assert scales == [1, 1, 2, 2, 2, 4, 4]
