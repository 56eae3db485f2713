"""Test the learning rates that policies give to variables."""

import pytest

from tests.policies import tiny


@pytest.mark.parametrize(
    ("spec", "decay"),
    [
        ("layerwise(decay=0.9)", 0.9),
        pytest.param("layerwise", 0.95, marks=pytest.mark.matrix),
        ("discriminative", 1 / 2.6),
    ],
)
def test_rate_decreases_from_layer_to_layer(spec, decay):
    model = tiny.model(layers=11)
    tiny.compiled(model, tiny.prepared(model, spec))
    expected = {f"layer_{i}": decay ** (10 - i) for i in range(11)}
    expected |= {"embeddings": decay**11, "pooler": 1.0}
    for variable, factor in zip(model.trainable_variables, model.optimizer.factors, strict=True):
        part = variable.path.split("/")[1]
        assert factor == pytest.approx(expected.get(part, 1.0)), variable.path


def test_first_matching_expression_decides_the_rate():
    model = tiny.model()
    spec = "discriminative(rates={'layer_2.*bias': 3, 'layer_2|pooler': 0.5})"
    tiny.compiled(model, tiny.prepared(model, spec))
    for variable, factor in zip(model.trainable_variables, model.optimizer.factors, strict=True):
        expected = 0.5 if "layer_2" in variable.path or "pooler" in variable.path else 1
        if "layer_2" in variable.path and variable.path.endswith("bias"):
            expected = 3
        assert factor == expected, variable.path
