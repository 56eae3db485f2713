"""Optimizers, schedules and losses in models that know nothing of ftkeras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ftkeras
import ftkeras.losses
import ftkeras.optimizers
import ftkeras.schedules
from ftkeras import catalog
from tests.matrix import matrix

NAMES = catalog.names("optimizer")
INPUTS = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
LABELS = (INPUTS.sum(axis=1) > 0).astype("int32")


def _model(optimizer, **settings) -> keras.Model:
    keras.utils.set_random_seed(1)
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Dense(8, "tanh")(inputs)))
    loss = ftkeras.losses.Focal()
    settings = {"jit_compile": False} | settings  # compiling takes seconds
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"], **settings)
    return model


def _fit(model: keras.Model, **settings) -> list[float]:
    settings = {"epochs": 3, "batch_size": 16, "shuffle": False, "verbose": 0} | settings
    return model.fit(INPUTS, LABELS, **settings).history["loss"]


@pytest.mark.parametrize("name", matrix(NAMES, default=["adamw"]))
def test_saved_model_continues_as_the_one_that_was_not_saved(name, tmp_path):
    cls = catalog.find("optimizer", name)
    schedule = ftkeras.schedules.Warmup(ftkeras.schedules.Linear(0.01, total_steps=30), steps=4)
    model = _model(cls(schedule, weight_decay=0.1, multipliers=[("dense", 0.5)]))
    first = _fit(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    again = _fit(loaded)
    assert again == _fit(model)
    assert again[-1] < first[0]


@pytest.mark.parametrize("name", NAMES)
def test_keras_names_of_arguments_are_taken(name):
    optimizer = catalog.find("optimizer", name)(1e-3, weight_decay=0.25, clipnorm=2.0)
    config = optimizer.get_config()
    assert (config["decay"], config["clipnorm"]) == (0.25, 2.0)
    again = type(optimizer).from_config(config)
    assert again.get_config() == config
    assert optimizer.weight_decay is None  # Keras's own would be added to ours


@pytest.mark.parametrize("name", ["clipnorm", "clipvalue", "global_clipnorm"])
def test_keras_clipping_of_scaled_gradients_is_refused(name):
    with pytest.raises(ValueError, match=rf"`{name}`.*`loss_scaling`.*`clip_norm`.*{name}=0.5"):
        ftkeras.optimizers.AdamW(loss_scaling=True, **{name: 0.5})


@pytest.mark.parametrize("name", NAMES)
def test_registered_names_are_taken_by_compile(name):
    ftkeras.register_keras_classes()
    cls = catalog.find("optimizer", name)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile(optimizer=f"ftkeras>{cls.__name__}", loss=ftkeras.losses.CrossEntropy())
    assert type(model.optimizer) is cls
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)  # as Keras's own
    assert np.isfinite(model.train_on_batch(INPUTS, LABELS))


@pytest.mark.parametrize("setting", matrix(["jit_compile", "run_eagerly"], default=[]))
def test_compiled_and_eager_steps_are_the_same(setting):
    expected = _fit(_model(ftkeras.optimizers.AdamW(0.01)))
    found = _fit(_model(ftkeras.optimizers.AdamW(0.01), **{setting: True}))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.matrix
def test_steps_accumulated_by_keras_equal_those_of_the_larger_batch():
    accumulating = ftkeras.optimizers.Adafactor(0.01, gradient_accumulation_steps=2)
    one, other = _model(accumulating), _model(ftkeras.optimizers.Adafactor(0.01))
    _fit(one, batch_size=8)
    _fit(other, batch_size=16)
    for found, expected in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.matrix
def test_two_replicas_train_as_one_device():
    model = _model(ftkeras.optimizers.AdamW(0.01))
    expected = _fit(model)
    devices = tf.config.list_logical_devices("CPU")[:2]
    strategy = tf.distribute.MirroredStrategy(
        [device.name for device in devices],
        cross_device_ops=tf.distribute.ReductionToOneDevice(),
    )
    assert strategy.num_replicas_in_sync == 2
    with strategy.scope():
        mirrored = _model(ftkeras.optimizers.AdamW(0.01))
    np.testing.assert_allclose(_fit(mirrored), expected, rtol=1e-4)
    for found, one in zip(mirrored.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(found, one, atol=1e-5)


@pytest.mark.matrix
def test_keras_scales_the_loss_under_mixed_float16():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        history = _fit(_model(ftkeras.optimizers.AdamW(0.01)))
    finally:
        keras.config.set_dtype_policy(before)
    assert history[-1] < history[0]


def test_variables_too_coarse_for_small_updates_are_refused():
    optimizer = ftkeras.optimizers.AdamW(2e-5)
    kernel = keras.Variable(np.zeros(2), dtype="bfloat16", name="kernel")
    with pytest.raises(ValueError, match="must be float32, but kernel is bfloat16.*mixed_bfloat16"):
        optimizer.build([kernel])


def _trained(spec: str, dtype: str) -> list[np.ndarray]:
    """Return a variable of float32 and three of `dtype` after two steps."""
    optimizer = catalog.build("optimizer", spec, learning_rate=0.01, multipliers=[("kernel", 0.5)])
    table, types = INPUTS[:4, :3], ["float32", dtype, dtype, dtype]
    values = {"first": table, "kernel": table, "bias": table[0], "embedding": table}
    made = [
        keras.Variable(value, dtype=t, name=name)
        for (name, value), t in zip(values.items(), types, strict=True)
    ]
    optimizer.build(made)
    for factor in (1, 3):
        *gradients, last = (tf.constant(factor * v.numpy()) for v in made)
        optimizer.apply([*gradients, tf.IndexedSlices(last[:2], tf.constant([1, 2]), [4, 3])])
    return [v.numpy() for v in made]


@pytest.mark.parametrize("spec", [*NAMES, "adamw(lazy=True)"])
def test_float64_variables_are_trained_beside_others_as_if_they_were_float32(spec):
    for one, other in zip(_trained(spec, "float64"), _trained(spec, "float32"), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.matrix
def test_learning_rate_can_be_set_as_keras_callbacks_do():
    model = _model(ftkeras.optimizers.AdamW(0.01))
    _fit(model, callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))])
    assert float(model.optimizer.last_learning_rate()) == pytest.approx(0.1 / 3)


@pytest.mark.parametrize("rate", [-1.0, float("nan")])
def test_learning_rate_out_of_bounds_is_refused(rate):
    with pytest.raises(ValueError, match="`learning_rate` must be at least 0"):
        ftkeras.optimizers.SGD(rate)
