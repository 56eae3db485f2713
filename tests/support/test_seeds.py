import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from ftkeras import catalog
from ftkeras.heads.classification import Classification
from ftkeras.support.seeds import ReplicaSeedGenerator, keep_mask, replay


def _dropout(seeds):
    return keras.random.dropout(tf.ones([4, 50]), 0.5, seed=seeds)


def test_one_replica_gets_the_seeds_of_keras():
    ours, theirs = ReplicaSeedGenerator(7), keras.random.SeedGenerator(7)
    for _ in range(3):
        np.testing.assert_array_equal(_dropout(ours), _dropout(theirs))


def test_seeds_of_numpy_are_stored_as_integers():
    head = Classification(classes=2, seed=np.int64(3))
    assert json.dumps(head.get_config()["seed"]) == "3"
    with pytest.raises(ValueError, match=r"`seed` must be an integer or None. Received: 1.5"):
        Classification(classes=2, seed=1.5)


def test_replicas_get_seeds_of_their_own_from_one_state():
    devices = catalog.build("strategy", "mirrored(logical_devices=2)").open()
    with devices.scope():
        seeds = ReplicaSeedGenerator(7)
    alone = ReplicaSeedGenerator(7)
    for _ in range(2):
        masks = devices.strategy.run(tf.function(lambda: _dropout(seeds)))
        first, second = devices.strategy.experimental_local_results(masks)
        assert (first.numpy() != second.numpy()).mean() > 0.3
        np.testing.assert_array_equal(first, _dropout(alone))
    states = devices.strategy.experimental_local_results(seeds.state.value)
    assert [state.numpy().tolist() for state in states] == [[7, 2]] * 2


def test_recorded_seeds_are_repeated():
    seeds, recorded = ReplicaSeedGenerator(7), []
    with replay(recorded):
        first = [_dropout(seeds) for _ in range(2)]
    with replay(recorded):
        second = [_dropout(seeds) for _ in range(2)]
    assert len(recorded) == 2
    np.testing.assert_array_equal(first, second)
    assert (np.array(_dropout(seeds)) != np.array(first[0])).any()


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.floats(0, 1, exclude_max=True))
def test_mask_has_the_shape_and_nearly_the_rate(shape, rate):
    mask, used_rate = keep_mask(shape, rate, seeds=1)
    assert (mask.shape, mask.dtype) == (tuple(shape), tf.bool)
    assert 0 < used_rate < 1
    assert used_rate == pytest.approx(rate, abs=2**-16)


@pytest.mark.parametrize("shape", [(500, 400), (501, 399)], ids=["even", "odd"])
@pytest.mark.parametrize("rate", [0.001, 0.1, 0.5, 0.9])
def test_mask_drops_each_number_independently(shape, rate):
    dropped = 1 - np.array(keep_mask(shape, rate, seeds=1)[0], float).ravel()
    error = np.sqrt(rate * (1 - rate) / dropped.size)
    assert dropped.mean() == pytest.approx(rate, abs=5 * error)
    # Neither the two halves of one random integer nor two integers are correlated.
    for distance in (1, 2, 400):
        both = np.mean(dropped[distance:] * dropped[:-distance])
        assert both == pytest.approx(rate**2, abs=5 * np.sqrt(rate**2 / dropped.size))


@pytest.mark.parametrize("compiled", [False, True])
def test_mask_of_an_unknown_shape_is_the_same(compiled):
    sample = tf.function(
        lambda x: keep_mask(keras.ops.shape(x), 0.3, seeds=1)[0],
        input_signature=[tf.TensorSpec([None, 4, None])],
        jit_compile=compiled,
    )
    np.testing.assert_array_equal(sample(tf.ones([3, 4, 5])), keep_mask((3, 4, 5), 0.3, seeds=1)[0])
