import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from ftkeras import catalog
from ftkeras.support.draws import Draws, kept


def _masks(draws):
    return keras.random.dropout(tf.ones([4, 50]), 0.5, seed=draws)


def test_one_replica_draws_as_keras_does():
    ours, theirs = Draws(7), keras.random.SeedGenerator(7)
    for _ in range(3):
        np.testing.assert_array_equal(_masks(ours), _masks(theirs))


def test_replicas_draw_for_themselves_from_one_state():
    devices = catalog.build("strategy", "mirrored(logical_devices=2)").open()
    with devices.scope():
        draws = Draws(7)
    alone = Draws(7)
    for _ in range(2):
        drawn = devices.strategy.run(tf.function(lambda: _masks(draws)))
        first, second = devices.strategy.experimental_local_results(drawn)
        assert (first.numpy() != second.numpy()).mean() > 0.3
        np.testing.assert_array_equal(first, _masks(alone))
    states = devices.strategy.experimental_local_results(draws.state.value)
    assert [state.numpy().tolist() for state in states] == [[7, 2]] * 2


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.floats(0, 1, exclude_max=True))
def test_mask_has_its_shape_and_nearly_its_rate(shape, rate):
    mask, drawn_by = kept(shape, rate, seeds=1)
    assert (mask.shape, mask.dtype) == (tuple(shape), tf.bool)
    assert 0 < drawn_by < 1
    assert drawn_by == pytest.approx(rate, abs=2**-16)


@pytest.mark.parametrize("shape", [(500, 400), (501, 399)], ids=["even", "odd"])
@pytest.mark.parametrize("rate", [0.001, 0.1, 0.5, 0.9])
def test_mask_drops_each_number_alone_with_its_rate(shape, rate):
    dropped = 1 - np.array(kept(shape, rate, seeds=1)[0], float).ravel()
    error = np.sqrt(rate * (1 - rate) / dropped.size)
    assert dropped.mean() == pytest.approx(rate, abs=5 * error)
    # Two numbers of one draw are not of one mind, nor are two draws.
    for apart in (1, 2, 400):
        both = np.mean(dropped[apart:] * dropped[:-apart])
        assert both == pytest.approx(rate**2, abs=5 * np.sqrt(rate**2 / dropped.size))


@pytest.mark.parametrize("compiled", [False, True])
def test_mask_of_a_shape_not_known_yet_is_the_same(compiled):
    draw = tf.function(
        lambda x: kept(keras.ops.shape(x), 0.3, seeds=1)[0],
        input_signature=[tf.TensorSpec([None, 4, None])],
        jit_compile=compiled,
    )
    np.testing.assert_array_equal(draw(tf.ones([3, 4, 5])), kept((3, 4, 5), 0.3, seeds=1)[0])
