"""Recomputing activations in the backward pass takes time and changes no result."""

import dataclasses

import pytest
import tensorflow as tf

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.experiment import build, optimization
from tests.matrix import matrix
from tests.optimized import products
from tests.strategies import tiny
from tests.strategies.tiny import Setting
from tests.training.test_state import SMALL

SETTINGS = {
    "dropout": Setting(dropout=0.3),
    "accumulated": Setting(dropout=0.3, accumulate=2),
    "packed": Setting(dropout=0.3, batching="packed"),
    # Both sample random numbers inside a layer, from generators of their own.
    "mixed weights": Setting(dropout=0.3, regularizer=("mixout(p=0.5)", "r_drop")),
    "low rank": Setting(dropout=0.3, policy=("lora(rank=2)",)),
    "perturbed": Setting(dropout=0.3, regularizer=("fgm",)),
}


@pytest.mark.matrix
@pytest.mark.parametrize("name", matrix(SETTINGS, default=["packed"]))
def test_recomputing_run_is_the_run(name):
    setting = SETTINGS[name]
    recomputing = tiny.run(dataclasses.replace(setting, remat=True))
    tiny.assert_equal(recomputing, tiny.run(setting))


@pytest.mark.matrix
def test_recomputing_run_on_two_replicas_is_the_run():
    devices = catalog.build("strategy", "mirrored(logical_devices=2)").open()
    setting = SETTINGS["dropout"]
    recomputing = tiny.run(dataclasses.replace(setting, remat=True), devices)
    tiny.assert_equal(recomputing, tiny.run(setting, devices))


def _products_in_a_step(remat: bool) -> int:
    made, _ = tiny.compiled(Setting(layers=2, dropout=0.3, remat=remat))

    @tf.function
    def gradients(ids, labels):
        return made._gradients({"token_ids": ids}, labels, None, 4.0)

    return products(gradients, tf.ones([2, 4], tf.int32), tf.zeros([2], tf.int64))


@pytest.mark.matrix
def test_layers_are_computed_twice_where_they_are_recomputed():
    """Count matrix products: unlike GELUs, each is one node on every processor.

    A layer has 6 in its forward pass: query-key-value, scores, context, output and feed-forward
    (2). The optimizer must not merge the recomputed ones with the first ones.
    """
    recomputed = _products_in_a_step(remat=True) - _products_in_a_step(remat=False)
    assert recomputed == 2 * 6


def test_remat_flag_makes_the_encoder_recompute():
    for remat in (False, True):
        experiment = build.experiment(Config(**SMALL, remat=remat))
        optimization.compile_to_train(experiment, total_steps=1)
        assert experiment.model.encoder.hooks.recompute == remat
