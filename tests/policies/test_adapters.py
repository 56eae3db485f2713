"""Test adapters: their formula, their start, and that they stay with the model."""

import numpy as np
import pytest
from scipy.special import erf

from ftkeras.exporters.huggingface import Huggingface
from tests.policies import tiny


def _adapter(values, name, states):
    """Compute the formula in NumPy."""
    down, down_bias, up, up_bias = (
        values[f"adapters/{name}_{part}"]
        for part in ("down_kernel", "down_bias", "up_kernel", "up_bias")
    )
    inner = states @ down + down_bias
    return states + inner * 0.5 * (1 + erf(inner / np.sqrt(2))) @ up + up_bias


def _randomized(model):
    draws = np.random.default_rng(1)
    for variable in model.added.weights:
        variable.assign(draws.normal(size=variable.shape))
    return tiny.values(model)


def test_adapter_is_the_formula():
    model = tiny.model()
    tiny.prepared(model, "adapters(size=3)")
    values = _randomized(model)
    states = np.random.default_rng(2).normal(size=(5, 8)).astype("float32")
    for block in model.encoder.blocks:
        for sub_layer in ("attention", "output"):
            expected = _adapter(values, f"{block.name}_{sub_layer}", states)
            adapted = model.encoder.hooks.apply_to_sub_layer(block, sub_layer, states)
            np.testing.assert_allclose(adapted, expected, atol=1e-5)


def test_sub_layer_is_adapted_before_its_residual():
    model = tiny.model()
    block = model.encoder.blocks[0]
    x = np.random.default_rng(2).normal(size=(1, 4, 8)).astype("float32")
    plain = np.array(block(x))
    # Doubling a sub-layer's output equals doubling its last kernel and bias.
    changed = tiny.model()
    layer = changed.encoder.blocks[0]
    changed.encoder.hooks.add_sub_layer_hook(layer, "output", lambda output: 2 * output)
    adapted = np.array(layer(x))
    for variable in (block.output_kernel, block.output_bias):
        variable.assign(2 * variable)
    np.testing.assert_allclose(adapted, np.array(block(x)), atol=1e-5)
    assert np.abs(adapted - plain).max() > 1e-2


def test_training_begins_near_the_pretrained_function():
    model = tiny.model(hidden=256, layers=2)
    before = tiny.logits(model)
    tiny.prepared(model, "adapters")
    np.testing.assert_allclose(tiny.logits(model), before, atol=0.05)
    kernels = [v.numpy() for v in model.added.weights if v.path.endswith("kernel")]
    assert len({kernel.tobytes() for kernel in kernels}) == 2 * 2 * 2
    # Truncating a normal distribution at two standard deviations leaves 0.88 of its deviation.
    kernels = np.concatenate([kernel.ravel() for kernel in kernels])
    assert kernels.std() == pytest.approx(0.88 * 0.01, rel=0.02)
    assert np.abs(kernels).max() <= 0.02


def test_adapters_are_saved_with_the_model():
    model = tiny.model()
    policies = tiny.prepared(model, "adapters(size=3)")
    policies[0].finish(model)
    assert {v.path for v in model.saved_variables} == {v.path for v in model.weights}
    assert sum("adapters/" in v.path for v in model.saved_variables) == 3 * 2 * 4


def test_hugging_face_export_is_rejected():
    model = tiny.model()
    with pytest.raises(ValueError, match="adapters"):
        Huggingface(
            model=model,
            text_layer=None,
            problem=None,
            pairs=False,
            plain=False,
            run_dir=None,
            card=None,
        )
