"""Layers that share a trace compute, learn and sample the same as layers with their own."""

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.training._shared_layers import SharedLayers
from tests.matrix import matrix
from tests.strategies import tiny
from tests.strategies.tiny import Setting

SETTINGS = {
    "dropout": {},
    "half precision": {"precision": "mixed_bfloat16"},
    "accumulated": {"accumulate": 2},
    "packed": {"batching": "packed"},
    "perturbed": {"regularizer": ("fgm", "r_drop")},
    "half of it frozen": {"policy": ("freeze(layers=1)",)},
}


def _setting(**changes) -> Setting:
    return Setting(dropout=0.3, layers=4, **changes)


def _each_traced(setting: Setting, monkeypatch) -> tiny.Outcome:
    with monkeypatch.context() as patch:
        patch.setattr(SharedLayers, "__call__", lambda self, block, *of: block(*of, training=True))
        return tiny.run(setting)


@pytest.mark.matrix
@pytest.mark.parametrize("name", matrix(SETTINGS, default=["packed"]))
def test_shared_trace_trains_like_one_trace_per_layer(name, monkeypatch):
    setting = _setting(**SETTINGS[name])
    shared, own = tiny.run(setting), _each_traced(setting, monkeypatch)
    tolerance = 1e-5 if setting.precision == "float32" else 1e-2
    np.testing.assert_allclose(shared.steps, own.steps, rtol=tolerance)
    for path, value in shared.weights.items():
        np.testing.assert_allclose(
            value, own.weights[path], rtol=tolerance, atol=tolerance / 10, err_msg=path
        )


def _nodes(made) -> list:
    """Return the nodes of a step's gradients as traced, and those of the functions it calls."""

    @tf.function
    def gradients(ids, labels):
        return made._gradients({"token_ids": ids}, labels, None, 4.0)

    specs = (tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int64))
    definition = gradients.get_concrete_function(*specs).graph.as_graph_def()
    bodies = [definition.node, *(f.node_def for f in definition.library.function)]
    return [node for body in bodies for node in body]


def _products(layers: int, **setting) -> int:
    """Count the matrix products in a step."""
    made, _ = tiny.compiled(Setting(layers=layers, **setting))
    return sum(node.op == "MatMul" for node in _nodes(made))


def test_step_for_xla_calls_no_function():
    # What a function hands to its gradient would be a constant to XLA, which would compile anew
    # for each batch.
    made, _ = tiny.compiled(Setting(layers=2))
    calls = ("PartitionedCall", "StatefulPartitionedCall")
    assert [node for node in _nodes(made) if node.op in calls]
    made.compile(optimizer=made.optimizer, loss=made.loss, jit_compile=True)
    assert not [node for node in _nodes(made) if node.op in calls]


@pytest.mark.matrix
def test_tracing_does_not_grow_with_the_number_of_layers():
    assert _products(layers=3) == _products(layers=6)


POLICIES = ["lora(rank=2)", "adapters(size=2)", "bitfit"]


@pytest.mark.matrix
@pytest.mark.parametrize("policy", matrix(POLICIES, default=["bitfit"]))
def test_layers_changed_by_a_policy_are_traced_one_by_one(policy):
    assert _products(layers=3, policy=(policy,)) < _products(layers=6, policy=(policy,))
