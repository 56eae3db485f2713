import pytest
import tensorflow as tf

from tests.optimized import operations
from tests.policies import tiny


def _products(model) -> int:
    """Matrix products that a training step makes."""
    found = operations(tf.function(model.train_step), (tiny.INPUTS, tiny.LABELS))
    return sum(count for op, count in found.items() if "MatMul" in op or "Einsum" in op)


def _needed(spec) -> int:
    model = tiny.model()
    tiny.compiled(model, tiny.prepared(model, spec), eagerly=False)
    return _products(model)


# A layer has 6 products, the last one, which computes first tokens alone, 8, head and pooler 1
# each; the gradient of a product is two. What the last layer reads goes into 3 of its products.
FORWARD, LAST, HEAD = 2 * 6 + 8 + 2, 16, 4


@pytest.mark.parametrize(
    ("spec", "backward"),
    [
        ("full", 2 * 12 + LAST + HEAD),
        ("freeze(layers=0)", 2 * 12 - 1 + LAST + HEAD),
        ("freeze(layers=2)", LAST - 3 + HEAD),
        ("freeze(layers=3)", HEAD - 1),
        ("head_only", HEAD - 1),
        ("head_only(pooler=False)", 1),
        ("gradual_unfreezing", 2 * 12 + LAST + HEAD),  # before `fit` freezes anything
    ],
)
def test_frozen_parts_cost_no_backward_pass(spec, backward):
    assert _needed(spec) == FORWARD + backward
