"""Weights as an export stores them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ftkeras.exporters._weights import Half, Int8, Weights
from ftkeras.support import keras_compat
from tests.exporters import small

IDS = np.array([[2, 30, 7, 3, 0], [2, 9, 9, 41, 3]], np.int32)


@pytest.fixture
def set_policy():
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("pooling", ["pooled", "cls", "mean"])
def test_stored_weights_give_the_models_logits(pooling):
    model = small.model(pooling)
    logits, vectors = Weights(model)({"token_ids": tf.constant(IDS)})
    np.testing.assert_allclose(logits, model({"token_ids": IDS}), atol=1e-5)
    features = model.encoder(IDS, padding_mask=IDS != 0)
    reads = (
        features["pooled"] if pooling == "pooled" else model.head.text_vectors(features, IDS != 0)
    )
    np.testing.assert_allclose(vectors, reads, atol=1e-5)


def test_segments_change_the_logits():
    model = small.model()
    inputs = {"token_ids": tf.constant(IDS), "segment_ids": tf.constant([[0, 0, 1, 1, 0]] * 2)}
    logits = Weights(model)(inputs)[0]
    np.testing.assert_allclose(logits, model(inputs), atol=1e-5)
    assert np.abs(logits - model({"token_ids": IDS})).max() > 1e-3


def test_only_the_models_weights_are_stored_and_they_are_copies():
    model = small.model()
    stored = Weights(model)
    assert len(stored.variables) == len(model.saved_variables)
    assert stored.trainable_variables == ()
    model.saved_variables[0].assign(model.saved_variables[0] * 0)
    assert np.abs(stored.parts[0].value()).max() > 0


@pytest.mark.parametrize(("dtype", "error"), [("float16", 2e-3), ("bfloat16", 2e-2)])
def test_half_precision_halves_the_bytes_and_stays_close(dtype, error):
    model = small.model()
    whole, half = Weights(model), Weights(model, dtype=dtype)
    assert {v.dtype.name for v in half.variables} == {dtype}
    bytes_of = [
        sum(v.shape.num_elements() * v.dtype.size for v in w.variables) for w in (whole, half)
    ]
    assert bytes_of[1] * 2 == bytes_of[0]
    for one, other in zip(whole.parts, half.parts, strict=True):
        np.testing.assert_allclose(one.value(), other.value(), rtol=error, atol=1e-4)
    changed = half({"token_ids": tf.constant(IDS)})[0] - whole({"token_ids": tf.constant(IDS)})[0]
    assert 0 < np.abs(changed).max() < 50 * error


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_model_is_computed_in_half_precision(dtype, set_policy):
    model = small.model()
    served = Weights(model, dtype=dtype, compute=dtype)
    function = tf.function(lambda ids: served({"token_ids": ids})).get_concrete_function(IDS)
    assert all(layer.dtype_policy.name == "float32" for layer in keras_compat.all_layers(model))
    products = [op for op in function.graph.get_operations() if "MatMul" in op.type]
    assert {op.outputs[0].dtype.name for op in products} == {dtype}
    casts = [op.inputs[0].op.type for op in function.graph.get_operations() if op.type == "Cast"]
    assert "ReadVariableOp" not in casts  # no weight is cast in each call
    # Keras's own mixed precision, with the weights rounded as they are stored.
    set_policy(f"mixed_{dtype}")
    mixed = small.model()
    for variable, part in zip(mixed.saved_variables, served.parts, strict=True):
        variable.assign(tf.cast(part.value(), tf.float32))
    logits, vectors = function(tf.constant(IDS))
    assert logits.dtype == vectors.dtype == tf.float32
    np.testing.assert_allclose(logits, tf.cast(mixed({"token_ids": IDS}), tf.float32), atol=0.05)


@pytest.mark.parametrize("by_row", [False, True])
def test_int8_is_within_half_a_step_of_the_weight(by_row):
    value = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    value[:, 2] *= 100
    value[4] = 0
    stored = Int8(tf.constant(value), by_row=by_row)
    axis = 1 if by_row else 0
    step = np.abs(value).max(axis=axis, keepdims=True) / 127
    step[step == 0] = 1
    assert stored.stored.dtype == tf.int8
    np.testing.assert_array_equal(stored.stored, np.round(value / step))
    assert (np.abs(stored.value() - value) <= step / 2 + 1e-6).all()
    np.testing.assert_array_equal(np.asarray(stored.value())[4], 0)


def test_int8_leaves_vectors_unchanged_and_scales_embeddings_by_row():
    stored = Weights(small.model(), quantization="int8")
    for part in stored.parts:
        assert isinstance(part, Int8) == (len(part.stored.shape) == 2)
    table = stored.parts[stored._table]
    assert table.scale.shape == (table.stored.shape[0], 1)
    rows = table.rows(tf.constant([[3, 5]]))
    np.testing.assert_array_equal(rows[0], np.asarray(table.value())[[3, 5]])


def test_rows_in_half_precision_are_cast_to_float32():
    rows = Half(tf.random.normal((4, 3)), "bfloat16").rows(tf.constant([1, 1]))
    assert (rows.dtype, rows.shape) == (tf.float32, (2, 3))
