"""Test `fit` with every regularizer."""

import numpy as np
import pytest
import tensorflow as tf

from ftkeras import catalog
from ftkeras.regularizers.fgm import FGM
from ftkeras.regularizers.freelb import FreeLB
from ftkeras.regularizers.l2 import L2
from ftkeras.regularizers.r_drop import RDrop
from ftkeras.regularizers.smart import Smart
from ftkeras.support import seeds
from tests.matrix import matrix
from tests.regularizers import tiny

# These need a teacher; see test_distill.py and test_distill_states.py.
TAUGHT = ("distill", "distill_states")
EVERY = [name for name in catalog.names("regularizer") if name not in TAUGHT]


# The paper's radius gives a term that is too small for a float32 loss. With mixout's default p,
# none of the eight rows might train.
SPECS = {"smart": "smart(step_size=0.1, radius=0.1, deviation=0.05)", "mixout": "mixout(p=0.3)"}


def _part(name):
    return catalog.build("regularizer", SPECS.get(name, name), seed=1)


def _batches(copies=2):
    return tf.data.Dataset.from_tensors((tiny.INPUTS, tiny.LABELS)).repeat(copies)


@pytest.mark.parametrize("eagerly", [True, pytest.param(False, marks=pytest.mark.matrix)])
@pytest.mark.parametrize("name", matrix(EVERY, default=["freelb", "mixout"]))
def test_fit_reports_the_term_but_validation_does_not_and_every_variable_changes(name, eagerly):
    part, plain = _part(name), tiny.regulated()
    model = tiny.regulated(part)
    model.run_eagerly = eagerly
    before = [np.array(v) for v in model.trainable_variables]
    expected = float(tiny.training_loss(model))
    # Rewind the random streams, so that `fit` samples the same numbers again.
    for state, start in zip(part.variables, _part(name).variables, strict=True):
        state.assign(start)
    found = model.fit(_batches(1), validation_data=_batches(1), verbose=0).history
    assert found["loss"] == [pytest.approx(expected, rel=1e-5)]
    if name != "mixout":  # it changes nothing before the first update
        assert expected != pytest.approx(_plain_loss(plain), rel=1e-9)
    assert [v.path for v in model.weights] == [v.path for v in plain.weights]
    plain.set_weights(model.get_weights())
    assert found["val_loss"] == [pytest.approx(_plain_loss(plain), rel=1e-6)]
    for variable, value in zip(model.trainable_variables, before, strict=True):
        assert np.any(np.array(variable) != value)


def _plain_loss(model) -> float:
    return tiny.cross_entropy(model(tiny.INPUTS))


@pytest.mark.matrix
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: L2(strength=0.1), marks=pytest.mark.matrix),
        lambda: RDrop(alpha=1.0),
        pytest.param(lambda: FGM(epsilon=0.5), marks=pytest.mark.matrix),
        pytest.param(
            lambda: FreeLB(steps=2, step_size=0.3, radius=0.5, seed=1), marks=pytest.mark.matrix
        ),
        pytest.param(
            lambda: Smart(strength=9, step_size=0.1, radius=0.1, deviation=0.05, seed=1),
            marks=pytest.mark.matrix,
        ),
    ],
    ids=["l2", "r_drop", "fgm", "freelb", "smart"],
)
def test_two_replicas_count_the_term_once(make, monkeypatch):
    monkeypatch.setattr(seeds, "_replica_id", lambda: None)  # replicas would sample different noise
    one = tiny.regulated(make())
    expected = float(one.train_step((tiny.INPUTS, tiny.LABELS))["loss"])
    two = _on_two_replicas(make)
    assert _step(two) == pytest.approx(expected, rel=1e-4)
    for variable, alone in zip(two.weights, one.weights, strict=True):
        if "seed" not in variable.path:
            np.testing.assert_allclose(np.array(variable), np.array(alone), atol=1e-5)


@pytest.mark.matrix
@pytest.mark.parametrize("name", ["mixout", "layer_drop", "l2_sp"])
def test_two_replicas_train(name):
    model = _on_two_replicas(lambda: _part(name), dropout=0.1)
    losses = [_step(model) for _ in range(3)]
    assert np.all(np.isfinite(losses))
    assert len(set(losses)) == 3


def _on_two_replicas(make, **settings):
    # The collectives of two strategies in one process would be mixed up.
    strategy = tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )
    with strategy.scope():
        model = tiny.regulated(make(), **settings)
        model.optimizer.build(model.trainable_variables)
    return model


def _step(model) -> float:
    """Run a step with the same batch on each replica; return the reported loss."""
    batch = {"token_ids": tf.constant(tiny.TOKEN_IDS)}, tf.constant(tiny.LABELS)
    model.reset_metrics()
    run = tf.function(lambda: model.distribute_strategy.run(model.train_step, args=(batch,)))
    run()
    return float(model.get_metrics_result()["loss"])


def test_terms_of_several_add_up():
    parts = L2(strength=0.1), L2(strength=0.2, where="head/kernel")
    both, plain = tiny.regulated(*parts), tiny.regulated()
    terms = sum(float(part(None)) for part in parts)
    assert float(tiny.training_loss(both)) == pytest.approx(
        float(tiny.training_loss(plain)) + terms, rel=1e-5
    )


@pytest.mark.matrix
def test_other_terms_are_added_to_one_that_replaces_the_loss():
    alone = tiny.regulated(FreeLB(seed=1))
    penalty = L2(strength=0.1)
    beside = tiny.regulated(FreeLB(seed=1), penalty)
    assert float(tiny.training_loss(beside)) == pytest.approx(
        float(tiny.training_loss(alone)) + float(penalty(None)), rel=1e-5
    )


@pytest.mark.matrix
@pytest.mark.parametrize("name", matrix(["freelb", "smart", "mixout"], default=["mixout"]))
def test_micro_batches_train(name):
    model = tiny.regulated(_part(name))
    model.compile(optimizer=model.optimizer, loss=model.loss, accumulate=2)
    halves = tf.nest.map_structure(lambda x: np.stack(np.split(x, 2)), (tiny.INPUTS, tiny.LABELS))
    batches = tf.data.Dataset.from_tensors(halves).repeat(2)
    assert np.isfinite(model.fit(batches, verbose=0).history["loss"][0])


def test_streams_of_different_parts_differ():
    states = [np.array(_part(name).seeds.state) for name in ("mixout", "layer_drop", "smart")]
    assert len({tuple(state) for state in states}) == 3
