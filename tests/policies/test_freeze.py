"""Test that frozen parts cost no backward pass."""

import pytest
import tensorflow as tf

from tests.optimized import operations
from tests.policies import tiny


def _products(model) -> int:
    """Return the number of matrix products in a training step."""
    found = operations(tf.function(model.train_step), (tiny.INPUTS, tiny.LABELS))
    return sum(count for op, count in found.items() if "MatMul" in op or "Einsum" in op)


def _needed(spec) -> int:
    model = tiny.model()
    tiny.compiled(model, tiny.prepared(model, spec), eagerly=False)
    return _products(model)


# Products in a pass: 6 in a layer, 8 in the last one, which computes first tokens only, 1 in the
# pooler and 1 in the head. The gradient of a product takes two products. The last layer's input
# enters 3 of its products.
FORWARD, LAST, HEAD = 2 * 6 + 8 + 2, 16, 4


@pytest.mark.parametrize(
    ("spec", "backward"),
    [
        pytest.param("full", 2 * 12 + LAST + HEAD, marks=pytest.mark.matrix),
        pytest.param("freeze(layers=0)", 2 * 12 - 1 + LAST + HEAD, marks=pytest.mark.matrix),
        pytest.param("freeze(layers=2)", LAST - 3 + HEAD, marks=pytest.mark.matrix),
        pytest.param("freeze(layers=3)", HEAD - 1, marks=pytest.mark.matrix),
        ("head_only", HEAD - 1),
        pytest.param("head_only(pooler=False)", 1, marks=pytest.mark.matrix),
        # Nothing is frozen before `fit`.
        pytest.param("gradual_unfreezing", 2 * 12 + LAST + HEAD, marks=pytest.mark.matrix),
    ],
)
def test_frozen_parts_cost_no_backward_pass(spec, backward):
    assert _needed(spec) == FORWARD + backward
