import csv
import types

import hypothesis
import hypothesis.strategies as st
import keras
import numpy as np
import pytest
import tensorflow as tf

from ftkeras.config.run import Config
from ftkeras.data.splits import open_splits
from ftkeras.experiment import build, feeds, optimization
from ftkeras.experiment.fit import Fit
from ftkeras.optimizers.adamw import AdamW
from ftkeras.schedules._warmup import Warmup
from ftkeras.schedules.linear import Linear
from ftkeras.schedules.reduce_on_plateau import ReduceOnPlateau
from tests.strategies import tiny


def _rates(schedule, figures) -> list[float]:
    """Return the learning rate after each epoch's validation."""
    rates = []
    for figure in figures:
        schedule.update(figure)
        rates.append(float(schedule(0)))
    return rates


@pytest.mark.parametrize(
    ("keys", "figures", "expected"),
    [
        ({}, [0.9, 0.8, 0.8, 0.7, 0.9], [1, 1, 0.5, 0.5, 0.25]),
        ({"patience": 2}, [0.9, 0.9, 0.9, 0.9, 0.9], [1, 1, 0.5, 0.5, 0.25]),
        ({"patience": 2}, [0.9, 0.9, 0.8, 0.9, 0.9], [1, 1, 1, 1, 0.5]),
        ({"by": "accuracy"}, [0.6, 0.7, 0.7, 0.6], [1, 1, 0.5, 0.25]),
        ({"least_gain": 0.1}, [0.9, 0.85, 0.7], [1, 0.5, 0.5]),
        ({"end": 0.3, "factor": 0.1}, [0.9, 0.9, 0.9], [1, 0.3, 0.3]),
        ({}, [0.9, float("nan"), 0.8], [1, 0.5, 0.5]),
    ],
)
def test_rate_falls_where_validation_gets_no_better(keys, figures, expected):
    np.testing.assert_allclose(_rates(ReduceOnPlateau(peak=1.0, **keys), figures), expected)


@hypothesis.given(
    figures=st.lists(st.sampled_from([0.4, 0.5, 0.6, 0.7]), min_size=1, max_size=12),
    patience=st.integers(1, 3),
    by=st.sampled_from(["loss", "accuracy"]),
)
@hypothesis.settings(max_examples=30, deadline=None)
def test_rate_falls_with_keras_own_callback(figures, patience, by):
    theirs = keras.callbacks.ReduceLROnPlateau(
        monitor=f"val_{by}",
        factor=0.5,
        patience=patience,
        mode="max" if by == "accuracy" else "min",
        min_delta=0.0,
    )
    theirs.set_model(types.SimpleNamespace(optimizer=keras.optimizers.SGD(1.0)))
    theirs.on_train_begin()
    expected = []
    for epoch, figure in enumerate(figures):
        theirs.on_epoch_end(epoch, {f"val_{by}": figure})
        expected.append(float(theirs.model.optimizer.learning_rate))
    ours = _rates(ReduceOnPlateau(peak=1.0, patience=patience, by=by), figures)
    np.testing.assert_allclose(ours, expected)


def test_rate_falls_on_two_replicas_as_on_one():
    figures = [0.9, 0.8, 0.8, 0.7, 0.9]
    one = ReduceOnPlateau(peak=1.0)
    with tiny.two_replicas().scope():
        two = ReduceOnPlateau(peak=1.0)
    assert _rates(two, figures) == _rates(one, figures)
    assert two.get_config() == one.get_config()


def test_function_traced_before_sees_the_fall():
    schedule = ReduceOnPlateau(peak=1.0)
    rate = tf.function(schedule)
    before = float(rate(tf.constant(3)))
    _rates(schedule, [0.5, 0.6])
    assert (before, float(rate(tf.constant(3)))) == (1.0, 0.5)


def test_kept_variables_let_the_rate_go_on():
    figures = [0.9, 0.8, 0.85, 0.8, 0.7, 0.71, 0.72]
    whole = ReduceOnPlateau(peak=1.0, patience=2)
    expected = _rates(whole, figures)
    first, second = (ReduceOnPlateau(peak=1.0, patience=2) for _ in range(2))
    began = _rates(first, figures[:4])
    for kept, again in zip(first.variables, second.variables, strict=True):
        again.assign(kept)
    assert began + _rates(second, figures[4:]) == expected


def test_saved_model_keeps_its_reductions(tmp_path):
    schedule = Warmup(ReduceOnPlateau(peak=1.0), steps=2)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(AdamW(schedule), "mse")
    model.optimizer.build(model.trainable_variables)
    for loss in (0.9, 0.8, 0.85):
        schedule.after.update(loss)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras").optimizer.schedule
    assert [float(loaded(step)) for step in (1, 2)] == [0.5, 0.5]
    assert _rates(loaded.after, [0.81, 0.7]) == _rates(schedule.after, [0.81, 0.7]) == [0.25, 0.25]
    fresh = ReduceOnPlateau(peak=1.0)
    assert ReduceOnPlateau.from_config({"peak": 1.0}).get_config() == fresh.get_config()


@pytest.mark.parametrize("warmup", ["0", "2"])
def test_fit_tells_the_schedule_of_validation(warmup):
    config = Config(schedule="reduce_on_plateau", warmup=warmup, learning_rate=1.0)
    schedule = optimization.schedule(config, total_steps=8)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(optimizer=keras.optimizers.SGD(schedule), loss="mse")
    x = np.ones((4, 1), np.float32)
    x_far = 100 * x  # never gets better: validation wants what training moves away from
    history = model.fit(
        x,
        x - 5,
        validation_data=(x_far, x_far),
        epochs=2,
        batch_size=1,
        verbose=0,
        callbacks=optimization.schedule_callbacks(schedule),
    )
    falls = history.history["val_loss"][1] >= history.history["val_loss"][0]
    assert float(schedule(8)) == (0.5 if falls else 1.0)
    assert falls


def test_others_ask_for_no_callback():
    schedule = optimization.schedule(Config(learning_rate=1e-3), total_steps=8)
    assert optimization.schedule_callbacks(schedule) == []


@pytest.mark.matrix
def test_training_run_falls_epoch_by_epoch(tmp_path):
    config = Config(
        task="quickstart",
        encoder="bert(layers=1, hidden=16, heads=1, positions=32, vocabulary='reviews')",
        max_length=16,
        train_examples=32,
        validation_examples=16,
        epochs=3,
        schedule="reduce_on_plateau(least_gain=100.0)",  # after the first, no epoch gains so much
        warmup="1",
        learning_rate=1e-3,
    )
    experiment = build.experiment(config)
    with open_splits(config, experiment.task, experiment.text_layer) as splits:
        feed = feeds.training_feed(experiment, splits)
        optimization.compile_to_train(experiment, total_steps=len(feed) * config.epochs)
        Fit(experiment, feed, splits, tmp_path).run()
    rows = csv.DictReader((tmp_path / "history.csv").open())
    rates = [float(row["learning_rate"]) for row in rows]
    np.testing.assert_allclose(rates, [1e-3, 1e-3, 5e-4], rtol=1e-6)


def test_a_metric_that_is_not_validated_is_named():
    callback = ReduceOnPlateau(1.0, by="accuracy").callback()
    callback.on_epoch_end(1, {"loss": 1.0})  # nothing was validated in this epoch
    with pytest.raises(ValueError, match="needs the metric val_accuracy; there are: val_acc"):
        callback.on_epoch_end(1, {"loss": 1.0, "val_acc": 0.5})
    with pytest.raises(ValueError, match="there are: none, as `fit` has no `validation_data`"):
        callback.on_epoch_end(0, {"loss": 1.0})


def test_its_state_is_that_of_a_warmup_before_it():
    schedule = ReduceOnPlateau(1.0)
    assert Warmup(schedule, steps=2).variables == schedule.variables
    assert Warmup(Linear(1.0, total_steps=4), steps=2).variables == []
