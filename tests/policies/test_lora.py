"""Test low-rank adaptation: its formula, its start, and the merged model."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.matrix import matrix
from tests.policies import tiny

SPECS = ["lora", "lora(rank=2, alpha=3, targets='key|.*output|intermediate')", "lora(targets='.*')"]


def _trained(spec, **settings):
    model = tiny.model(**settings)
    before = tiny.values(model)
    policies = tiny.prepared(model, spec)
    tiny.compiled(model, policies)
    tiny.train(model, policies, steps=4)
    return model, policies[0], before


@pytest.mark.parametrize("spec", matrix(SPECS, default=[SPECS[1]]))
def test_merged_model_computes_what_was_trained(spec):
    model, policy, _ = _trained(spec)
    predict = tf.function(lambda: model(tiny.INPUTS, training=False), autograph=False)
    trained = predict().numpy()
    policy.finish(model)
    np.testing.assert_allclose(tiny.logits(model), trained, atol=1e-5)
    np.testing.assert_allclose(predict().numpy(), trained, atol=1e-5)  # traced before the merge
    assert not any(block.is_changed for block in model.encoder.blocks)
    plain = tiny.model()
    for variable, value in zip(plain.saved_variables, model.saved_variables, strict=True):
        assert variable.path == value.path
        variable.assign(value)
    np.testing.assert_allclose(tiny.logits(plain), trained, atol=1e-5)
    assert np.abs(trained - tiny.logits(tiny.model())).max() > 1e-2


def test_merged_kernel_is_the_formula():
    model, policy, before = _trained("lora(rank=3, alpha=6, targets='query|value|intermediate')")
    after = tiny.values(model)
    policy.finish(model)
    for block in model.encoder.blocks:

        def product(name, block=block):
            a, b = (after[f"lora/{block.name}_{name}_{factor}"] for factor in "ab")
            return 6 / 3 * a @ b

        qkv = np.concatenate([product("query"), np.zeros((8, 8)), product("value")], axis=1)
        for kernel, added in (
            (block.qkv_kernel, qkv),
            (block.inner_kernel, product("intermediate")),
        ):
            expected = before[kernel.path] + added
            np.testing.assert_allclose(kernel.numpy(), expected, atol=1e-6)
        assert np.array_equal(
            block.qkv_kernel.numpy()[:, 8:16], before[block.qkv_kernel.path][:, 8:16]
        )
        assert np.array_equal(block.output_kernel.numpy(), before[block.output_kernel.path])


def test_factors_start_normal_and_zero():
    model = tiny.model(hidden=256, layers=2)
    tiny.prepared(model, "lora(rank=64)")
    for variable in model.scaffold.lora.weights:
        spread = (3 * 256) ** -0.5 if variable.path.endswith("_a") else 0
        assert variable.numpy().std() == pytest.approx(spread, rel=0.05)
    assert len({v.numpy().tobytes() for v in model.scaffold.lora.weights}) == 4 + 1


@pytest.mark.matrix
def test_merge_is_in_float32_after_training_in_bfloat16():
    model, policy, before = _trained("lora", dtype="mixed_bfloat16")
    a, b = (v.numpy() for v in model.scaffold.lora.weights[:2])
    policy.finish(model)
    kernel = model.encoder.blocks[0].qkv_kernel
    assert keras.backend.standardize_dtype(kernel.dtype) == "float32"
    np.testing.assert_allclose(
        kernel.numpy()[:, :8], before[kernel.path][:, :8] + 2 * a @ b, atol=1e-6
    )
