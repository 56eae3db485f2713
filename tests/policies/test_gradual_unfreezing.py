"""Test which parts train in each epoch under gradual unfreezing."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.policies import tiny


class Watch(keras.callbacks.Callback):
    """Record which parts change in each epoch, and the train function used."""

    def __init__(self, model):
        super().__init__()
        self.now, self.parts, self.traced = tiny.values(model), [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.traced.append(self.model.train_function)

    def on_epoch_end(self, epoch, logs=None):
        before, self.now = self.now, tiny.values(self.model)
        self.parts.append({_part(path) for path in tiny.changed(before, self.now)})


def _part(path):
    return next(
        name
        for name in ("embeddings", "layer_0", "layer_1", "layer_2", "pooler", "head")
        if name in path
    )


def _run(spec, **settings):
    model = tiny.model()
    policies = tiny.prepared(model, spec)
    tiny.compiled(model, policies, eagerly=settings.pop("eagerly", True), **settings)
    return model, policies


ALL = ["layer_2", "layer_1", "layer_0", "embeddings"]


@pytest.mark.parametrize(
    ("spec", "unfrozen"),
    [
        pytest.param("gradual_unfreezing", [0, 1, 2, 3, 4, 4], marks=pytest.mark.matrix),
        ("gradual_unfreezing(every=2)", [0, 0, 1, 1, 2, 2]),
        pytest.param("gradual_unfreezing(layers=2)", [0, 2, 3, 4, 4, 4], marks=pytest.mark.matrix),
        pytest.param("gradual_unfreezing(layers=9)", [0, 3, 4, 4, 4, 4], marks=pytest.mark.matrix),
    ],
)
def test_parts_are_unfrozen_turn_by_turn(spec, unfrozen):
    model, policies = _run(spec)
    watch = Watch(model)
    tiny.train(model, policies, watch, steps=2, epochs=6)
    assert watch.parts == [{"pooler", "head", *ALL[:count]} for count in unfrozen]
    assert all(variable.trainable for variable in model.weights)


@pytest.mark.matrix
def test_step_is_retraced_only_when_a_layer_is_unfrozen():
    model, policies = _run("gradual_unfreezing(every=2, layers=3)", eagerly=False)
    watch = Watch(model)
    tiny.train(model, policies, watch, steps=1, epochs=4)
    head = {"pooler", "head"}
    assert watch.parts == [head, head, head | set(ALL[:3]), head | set(ALL[:3])]
    assert len(set(map(id, watch.traced))) == 2


@pytest.mark.matrix
def test_later_fit_without_the_policy_trains_all_parts():
    model, policies = _run("gradual_unfreezing", eagerly=False)
    tiny.train(model, policies, steps=1)
    watch = Watch(model)
    tiny.train(model, [], watch, steps=1)
    assert watch.parts == [{"pooler", "head", *ALL}]


class Moments(keras.callbacks.Callback):
    """Record the parts that have moments after each epoch."""

    def __init__(self):
        super().__init__()
        self.parts = []

    def on_epoch_end(self, epoch, logs=None):
        optimizer = self.model.optimizer
        pairs = zip(optimizer._trainable_variables, optimizer.first, strict=True)
        self.parts.append({_part(v.path) for v, first in pairs if np.any(first.numpy())})


@pytest.mark.matrix
def test_frozen_variables_have_no_moments():
    model, policies = _run("gradual_unfreezing")
    moments = Moments()
    tiny.train(model, policies, moments, epochs=3)
    assert moments.parts == [{"pooler", "head", *ALL[:count]} for count in range(3)]


@pytest.mark.matrix
def test_first_step_after_unfreezing_has_the_full_length():
    model, policies = _run("gradual_unfreezing", decay=0.0, rate=1e-3, clip_norm=0)
    before = []

    class Remember(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            before.append(tiny.values(model))

    tiny.train(model, policies, Remember(), steps=1, epochs=4)
    after = tiny.values(model)
    for path in (p for p in after if "layer_0" in p and "kernel" in p):
        # Adam's first step is rate * g / |g| for every gradient g.
        step = np.abs(after[path] - before[-1][path])
        assert np.median(step) == pytest.approx(1e-3, rel=0.01)


def _counted_from(model):
    """Return the updates after which the optimizer counts those of each part."""
    paths = [variable.path for variable in model.trainable_variables]
    pairs = zip(map(_part, paths), model.optimizer.counted_from, strict=True)
    return {part: start for part, start in pairs if start is not None}


@pytest.mark.matrix
def test_later_fit_continues_with_the_same_parts_and_counts():
    model, policies = _run("gradual_unfreezing")
    tiny.train(model, policies, epochs=2, steps=3)
    watch = Watch(model)
    tiny.train(model, policies, watch, epochs=3, initial_epoch=2, steps=3)
    assert watch.parts == [{"pooler", "head", "layer_2", "layer_1"}]
    assert _counted_from(model) == {"layer_2": 3, "layer_1": 6}


class Updates(keras.callbacks.Callback):
    """Record the optimizer's updates at the start of each epoch."""

    def __init__(self):
        super().__init__()
        self.made = []

    def on_epoch_begin(self, epoch, logs=None):
        self.made.append(int(self.model.optimizer.iterations))


@pytest.mark.parametrize(
    ("settings", "initial_epoch", "is_known"),
    [
        pytest.param({"gradient_accumulation_steps": 2}, 0, True, id="accumulated"),
        pytest.param({}, 1, True, marks=pytest.mark.matrix, id="started late"),
        pytest.param({}, 0, False, marks=pytest.mark.matrix, id="unknown length"),
    ],
)
def test_counts_start_at_the_updates_that_were_made(settings, initial_epoch, is_known):
    model, policies = _run("gradual_unfreezing", eagerly=False, **settings)
    updates, data = Updates(), tf.data.Dataset.from_tensors((tiny.INPUTS, tiny.LABELS)).repeat(4)
    fitted = model.fit(
        data if is_known else data.filter(lambda *_: True),
        initial_epoch=initial_epoch,
        epochs=3,
        verbose=0,
        shuffle=False,
        callbacks=[*policies[0].callbacks(model), updates],
    )
    assert np.isfinite(fitted.history["loss"]).all()
    assert _counted_from(model) == {"layer_2": updates.made[-2], "layer_1": updates.made[-1]}
