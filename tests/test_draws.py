import keras
import numpy as np
import tensorflow as tf

from ftkeras import catalog
from ftkeras.draws import Draws


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
