"""Computing activations again costs time, and changes nothing that is learnt."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from ftkeras import assemble, catalog
from ftkeras.config import Config
from tests.strategies import tiny
from tests.strategies.tiny import Setting
from tests.training.test_state import SMALL

SETTINGS = {
    "dropout": Setting(dropout=0.3),
    "accumulated": Setting(dropout=0.3, accumulate=2),
    "packed": Setting(dropout=0.3, batching="packed"),
    # Both draw inside a layer, from streams of their own.
    "mixed weights": Setting(dropout=0.3, regularizer=("mixout(p=0.5)", "r_drop")),
    "low rank": Setting(dropout=0.3, policy=("lora(rank=2)",)),
    "perturbed": Setting(dropout=0.3, regularizer=("fgm",)),
}


def _same(one: tiny.Outcome, other: tiny.Outcome) -> None:
    np.testing.assert_allclose(one.steps, other.steps, rtol=1e-5)
    for path, value in one.weights.items():
        np.testing.assert_allclose(value, other.weights[path], rtol=1e-5, atol=1e-7, err_msg=path)


@pytest.mark.parametrize("name", SETTINGS)
def test_recomputing_run_is_the_run(name):
    setting = SETTINGS[name]
    _same(tiny.run(setting), tiny.run(dataclasses.replace(setting, remat=True)))


def test_recomputing_run_on_two_replicas_is_the_run():
    devices = catalog.build("strategy", "mirrored(logical_devices=2)").open()
    setting = SETTINGS["dropout"]
    _same(tiny.run(setting, devices), tiny.run(dataclasses.replace(setting, remat=True), devices))


def _gelus_in_a_step(remat: bool) -> int:
    made, _ = tiny.compiled(Setting(dropout=0.3, remat=remat))

    @tf.function
    def gradients(ids, labels):
        return made._gradients({"token_ids": ids}, labels, None, 4.0)

    specs = (tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int64))
    graph = gradients.get_concrete_function(*specs).graph
    return sum(op.type == "Erf" for op in graph.get_operations())


def test_layers_are_computed_twice_where_they_are_recomputed():
    assert _gelus_in_a_step(remat=True) == 2 * _gelus_in_a_step(remat=False)


def test_flag_has_the_encoder_recompute():
    for remat in (False, True):
        experiment = assemble.experiment(Config(**SMALL, remat=remat))
        assemble.compile_to_train(experiment, total_steps=1)
        assert experiment.model.encoder.recomputes == remat
