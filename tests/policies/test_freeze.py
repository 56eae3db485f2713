import pytest
import tensorflow as tf

from tests.policies import tiny


def _products(model) -> int:
    """Matrix products that a training step must make, for what it changes or returns."""
    step = tf.function(model.train_step)
    graph = step.get_concrete_function((tiny.INPUTS, tiny.LABELS)).graph
    waiting, needed = [*graph.control_outputs, *(t.op for t in graph.outputs)], set()
    while waiting:
        operation = waiting.pop()
        if operation not in needed:
            needed.add(operation)
            waiting += [*operation.control_inputs, *(t.op for t in operation.inputs)]
    return sum(operation.type in ("MatMul", "BatchMatMulV2") for operation in needed)


def _needed(spec) -> int:
    model = tiny.model()
    tiny.compiled(model, tiny.prepared(model, spec), eagerly=False)
    return _products(model)


# A layer has 6 products, head and pooler 1 each; the gradient of a product is two.
FORWARD, HEAD = 3 * 6 + 2, 4


@pytest.mark.parametrize(
    ("spec", "backward"),
    [
        ("full", 3 * 12 + HEAD),
        ("freeze(layers=0)", 3 * 12 - 1 + HEAD),
        ("freeze(layers=2)", 12 - 1 + HEAD),
        ("freeze(layers=3)", HEAD - 1),
        ("head_only", HEAD - 1),
        ("head_only(pooler=False)", 1),
        ("gradual_unfreezing", 3 * 12 + HEAD),  # before `fit` freezes anything
    ],
)
def test_frozen_parts_cost_no_backward_pass(spec, backward):
    assert _needed(spec) == FORWARD + backward
