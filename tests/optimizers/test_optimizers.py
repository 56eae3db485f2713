"""Optimizers: their steps against the papers' formulas, and the features that all of them share."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from ftkeras import catalog
from ftkeras.optimizers._base import Group
from ftkeras.schedules.linear import Linear
from tests.matrix import matrix
from tests.optimizers import algorithms

NAMES = catalog.names("optimizer")
COUNTING = ["adafactor", "adamw", "lamb", "muon"]  # whose steps depend on their number
# The first match counts, so the head's kernel gets only the head's factor.
MULTIPLIERS = [("head", 2.0), ("embedding|norm", 0.0), ("kernel", 0.25)]
FACTORS = {
    "encoder/kernel": 0.25,
    "encoder/norm_scale": 0.0,
    "encoder/output_kernel": 0.25,
    "embeddings/token_embedding": 0.0,
    "head/kernel": 2.0,
}
ALL = {
    "clip_norm": 0.5,
    "learning_rate": Linear(peak=algorithms.RATE, total_steps=8),
    "multipliers": MULTIPLIERS,
}
ALL_EXPECTED = {
    "clip": 0.5,
    "rate": lambda t: algorithms.RATE * (1 - t / 8),
    "factors": FACTORS,
}


def test_every_optimizer_has_its_formula():
    assert sorted(algorithms.STEPS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_ten_steps_equal_the_formula(name):
    actual = algorithms.run(algorithms.make(name), 10)
    algorithms.assert_close(actual, algorithms.expected(name, 10))


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("adafactor", {"scale_parameter": False}),
        ("adam", {"bias_correction": False, "epsilon": 1e-3}),
        ("adamw", {"bias_correction": False, "epsilon": 1e-3}),
        ("muon", {"nesterov": False}),
        ("muon", {"adam_where": ""}),
        ("rmsprop", {"momentum": 0.9, "centered": True}),
        ("sgd", {"nesterov": True}),
        ("sgd", {"momentum": 0.0}),
    ],
)
def test_ten_steps_of_a_variant_equal_its_formula(name, keys):
    actual = algorithms.run(algorithms.make(name, **keys), 10)
    algorithms.assert_close(actual, algorithms.expected(name, 10, **keys))


def _ordinary_model(optimizer) -> keras.Model:
    keras.utils.set_random_seed(1)
    layers = [keras.Input((3,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile(optimizer=optimizer, loss="mse")
    return model


@pytest.mark.parametrize("name", matrix(NAMES, default=["adamw"]))
@pytest.mark.parametrize("skip_nonfinite", matrix([False, True], default=[True]))
def test_optimizer_trains_an_ordinary_keras_model(name, skip_nonfinite):
    cls = catalog.find("optimizer", name)
    model = _ordinary_model(cls(learning_rate=0.01, skip_nonfinite=skip_nonfinite))
    inputs = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    losses = model.fit(inputs, inputs[:, :1], epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert float(model.optimizer.gradient_norm) > 0


def test_update_that_is_not_finite_is_skipped_in_an_ordinary_keras_model():
    model = _ordinary_model(algorithms.make("sgd", skip_nonfinite=True))
    before = model.get_weights()
    model.fit(np.full((4, 3), np.nan, "float32"), np.ones((4, 1)), verbose=0)
    assert (int(model.optimizer.skipped), int(model.optimizer.iterations)) == (1, 1)
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_loss_scaling_trains_an_ordinary_keras_model_once_built():
    inputs = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    weights = []
    for loss_scaling in (False, True):
        model = _ordinary_model(algorithms.make("adamw", loss_scaling=loss_scaling))
        if loss_scaling:
            with pytest.raises(ValueError, match="`loss_scaling` needs `optimizer.build"):
                model.fit(inputs, inputs[:, :1], verbose=0)
        model.optimizer.build(model.trainable_variables)
        model.fit(inputs, inputs[:, :1], shuffle=False, verbose=0)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4)


@pytest.mark.parametrize("name", matrix(NAMES, default=["adamw"]))
def test_clip_schedule_decay_and_multipliers_work_together(name):
    actual = algorithms.run(algorithms.make(name, **ALL), 5)
    algorithms.assert_close(actual, algorithms.expected(name, 5, **ALL_EXPECTED))


two_replicas = pytest.mark.skipif(
    "len(tf.config.list_logical_devices('CPU')) < 2",
    reason="TensorFlow was started with one logical CPU",
)


@two_replicas
@pytest.mark.parametrize("name", matrix(NAMES, default=["adamw"]))
def test_two_replicas_take_the_steps_of_one(name):
    actual = algorithms.run_on_two_replicas(lambda: algorithms.make(name, **ALL), 3)
    algorithms.assert_close(actual, algorithms.expected(name, 3, **ALL_EXPECTED))


@pytest.mark.parametrize("name", matrix(COUNTING, default=["adamw", "muon"]))
def test_variables_that_are_trained_later_count_their_own_updates(name):
    actual = algorithms.run(algorithms.make(name), 3, start=7)
    algorithms.assert_close(actual, algorithms.expected(name, 3))


@two_replicas
@pytest.mark.parametrize("name", matrix(COUNTING, default=["adamw"]))
def test_two_replicas_count_the_updates_of_some_variables_as_one(name):
    keys = {"start": 7, "late": 2}
    actual = algorithms.run_on_two_replicas(lambda: algorithms.make(name), 3, **keys)
    algorithms.assert_close(actual, algorithms.run(algorithms.make(name), 3, **keys))


@pytest.mark.parametrize("start", [0, 7])
@pytest.mark.parametrize("key", ["skip_nonfinite", "loss_scaling"])
@pytest.mark.parametrize("name", matrix(COUNTING, default=["adamw", "muon"]))
def test_skipped_updates_do_not_count_in_the_bias_correction(name, key, start):
    optimizer = algorithms.make(name, **{key: True})
    scale = 2.0**14 if optimizer.loss_scaling else 1.0  # the first one, halved twice

    def after_two_overflows(step):
        factor = np.float32(np.inf if step < 2 else scale)
        return [factor * g for g in algorithms.gradients(max(0, step - 2))]

    actual = algorithms.run(optimizer, 5, start=start, of_step=after_two_overflows)
    assert int(optimizer.skipped) == 2
    algorithms.assert_close(actual, algorithms.expected(name, 3))


@pytest.mark.parametrize("name", matrix(NAMES, default=["adamw"]))
def test_keras_own_decay_stays_off(name):
    without = algorithms.run(algorithms.make(name, decay=0.0), 3)
    algorithms.assert_close(without, algorithms.expected(name, 3, decay=0.0))


def test_clipping_uses_one_norm_over_all_variables():
    actual = algorithms.run(algorithms.make("sgd", clip_norm=0.5), 5)
    algorithms.assert_close(actual, algorithms.expected("sgd", 5, clip=0.5))


def test_small_gradients_are_not_clipped():
    actual = algorithms.run(algorithms.make("sgd", clip_norm=1e6), 2)
    algorithms.assert_close(actual, algorithms.expected("sgd", 2))


@pytest.mark.parametrize(
    ("no_decay", "excluded"),
    [
        ("bias|norm|embedding", {"encoder/bias", "encoder/norm_scale"}),
        ("", set()),
    ],
)
def test_variables_are_excluded_from_decay_by_path(no_decay, excluded):
    optimizer = algorithms.make("sgd", no_decay=no_decay, momentum=0.0)
    before = [v.numpy() for v in algorithms.variables()]
    plain = algorithms.run(algorithms.make("sgd", decay=0.0, momentum=0.0), 1)
    after = algorithms.run(optimizer, 1)
    if no_decay:
        excluded = excluded | {"embeddings/token_embedding"}
    for path, w, one, other in zip(algorithms.SHAPES, before, plain, after, strict=True):
        wanted = 0 * w if path in excluded else algorithms.RATE * algorithms.DECAY * w
        np.testing.assert_allclose(one - other, wanted, atol=1e-6, err_msg=path)


def test_last_learning_rate_is_that_of_the_schedule():
    schedule = Linear(peak=algorithms.RATE, total_steps=8)
    optimizer = algorithms.make("sgd", learning_rate=schedule)
    algorithms.run(optimizer, 3)
    rate = float(optimizer.last_learning_rate())
    assert rate == pytest.approx(algorithms.RATE * (1 - 2 / 8))


def test_schedule_counts_updates_if_keras_accumulates_gradients():
    settings = {"decay": 0.0, "momentum": 0.0, "gradient_accumulation_steps": 3}
    schedule = Linear(peak=1.0, total_steps=4)
    optimizer = algorithms.make("sgd", learning_rate=schedule, **settings)
    weight = keras.Variable(0.0, name="weight")
    optimizer.build([weight])
    moves = []
    for _ in range(4):
        before = float(weight)
        for _ in range(3):
            optimizer.apply([tf.constant(1.0)])
        moves.append(before - float(weight))
        assert float(optimizer.last_learning_rate()) == moves[-1]
    assert moves == [1.0, 0.75, 0.5, 0.25]


def test_rows_looked_up_twice_are_added_before_the_norm_is_taken():
    table = keras.Variable(np.zeros((3, 2), "float32"), name="table")
    optimizer = algorithms.make("sgd", learning_rate=1.0, clip_norm=1.0, momentum=0.0)
    optimizer.build([table])
    slices = tf.IndexedSlices(tf.ones((2, 2)), tf.constant([1, 1]), tf.constant([3, 2]))
    optimizer.apply_gradients([(slices, table)])
    # The real gradient is (2, 2) in row 1, of norm sqrt(8).
    expected = -np.array([[0, 0], [2, 2], [0, 0]]) / np.sqrt(8)
    np.testing.assert_allclose(table.numpy(), expected, rtol=1e-6)


def test_groups_have_multiplier_decay_and_sizes():
    optimizer = algorithms.make("adamw", multipliers=MULTIPLIERS)
    optimizer.build(algorithms.variables())
    assert optimizer.groups() == [
        Group(multiplier=2.0, decays=True, variables=1, parameters=12),
        Group(multiplier=1.0, decays=False, variables=1, parameters=4),
        Group(multiplier=0.25, decays=True, variables=2, parameters=27),
        Group(multiplier=0.0, decays=True, variables=1, parameters=12),
        Group(multiplier=0.0, decays=False, variables=1, parameters=4),
    ]


def test_without_decay_no_group_decays():
    optimizer = algorithms.make("adam", decay=0.0)
    optimizer.build(algorithms.variables())
    assert optimizer.groups() == [Group(1.0, False, len(algorithms.SHAPES), 59)]


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"multipliers": [("heda", 2.0)]}, ["`multipliers`", "'heda'"]),
        ({"no_decay": "layernrom"}, ["`no_decay`", "'layernrom'"]),
    ],
)
def test_regex_that_matches_nothing_is_refused_before_a_step(keys, named):
    optimizer = algorithms.make("sgd", **keys)
    with pytest.raises(ValueError, match="encoder/kernel") as raised:
        optimizer.build(algorithms.variables())
    assert all(name in str(raised.value) for name in named)


def test_default_no_decay_may_match_nothing():
    with keras.name_scope("lora"):
        kernel = keras.Variable(np.ones((2, 2), "float32"), name="kernel")
    optimizer = algorithms.make("adamw")
    optimizer.build([kernel])
    assert optimizer.groups() == [Group(1.0, True, 1, 4)]


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"multipliers": None}, "`multipliers` must be pairs.*None"),
        ({"multipliers": ["head"]}, "`multipliers` must be pairs.*'head'"),
        ({"multipliers": [("head", -1)]}, "`multipliers` must be at least 0.*-1"),
        ({"multipliers": [("head", "2")]}, "`multipliers` must be at least 0.*'2'"),
        ({"multipliers": [("he(ad", 1)]}, "`multipliers` must be a regular.*" + re.escape("he(ad")),
        ({"no_decay": "("}, "`no_decay` must be a regular expression"),
        ({"no_decay": None}, "`no_decay` must be a regular expression.*None"),
        ({"decay": float("nan")}, "`decay`.*nan"),
        ({"decay": "0.1"}, "`decay`.*'0.1'"),
        ({"clip_norm": -1}, "`clip_norm`.*-1"),
        ({"momentum": 1.0}, "`momentum`.*1.0"),
        ({"skip_nonfinite": "yes"}, "`skip_nonfinite` must be True or False.*'yes'"),
        ({"loss_scaling": 1}, "`loss_scaling` must be True or False.*1"),
    ],
)
def test_bad_key_is_named(keys, named):
    with pytest.raises(ValueError, match=named):
        algorithms.make("sgd", **keys)


@pytest.mark.parametrize("name", NAMES)
def test_saved_optimizer_keeps_its_arguments(name):
    optimizer = algorithms.make(
        name, multipliers=MULTIPLIERS, no_decay="norm", skip_nonfinite=True, loss_scaling=True
    )
    saved = keras.saving.serialize_keras_object(optimizer)
    again = keras.saving.deserialize_keras_object(saved)
    assert again.multipliers == optimizer.multipliers == tuple(map(tuple, MULTIPLIERS))
    assert (again.no_decay, again.decay, again.clip_norm) == ("norm", algorithms.DECAY, 0.0)
    assert (again.skip_nonfinite, again.loss_scaling) == (True, True)
