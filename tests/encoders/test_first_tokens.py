"""The last layer computes only first tokens if no others are needed, with the same result."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ftkeras.encoders import _gradients
from ftkeras.encoders.bert import Bert
from ftkeras.heads.classification import POOLINGS, Classification
from ftkeras.training.finetuner import FineTuner
from tests.encoders.golden import FIXTURES, MODELS, golden, inputs, pretrained_bert, tiny_bert
from tests.matrix import matrix

CASES = [(model, case) for model in MODELS for case in golden(model)]
# The models differ in the activation only: by default the second runs a case of each length.
FEW_CASES = [
    (model, case) for model, case in CASES if model == "gelu" or case.startswith("padded_segments")
]
ROWS = {
    "token_ids": np.array([[5, 6, 7, 8, 9, 10, 0], [5, 9, 3, 5, 4, 6, 8]]),
    "padding_mask": np.array([[1, 1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1, 1]]),
}
PACKED = {**ROWS, "starts": np.array([[0, 2, 5, 7], [0, 3, 7, 7]])}


def _perturbed(encoder: Bert) -> Bert:
    """Add noise to the weights, so large that an error in any of them shows."""
    draws = np.random.default_rng(3)
    for variable in encoder.weights:
        variable.assign(np.array(variable) + draws.normal(size=variable.shape) * 0.3)
    return encoder


@pytest.mark.parametrize("named", matrix(CASES, default=FEW_CASES), ids="-".join)
def test_pooled_equals_the_reference(named):
    model, name = named
    case = golden(model)[name]
    outputs = pretrained_bert(FIXTURES / model)(**inputs(case), every_token=False)
    assert "sequence" not in outputs
    np.testing.assert_allclose(outputs["pooled"], case["pooled"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(outputs["first"], case["states"][-1][:, 0], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("rows", "layers"),
    [
        pytest.param(ROWS, 1, id="one_text_per_row-1", marks=pytest.mark.matrix),
        pytest.param(ROWS, 3, id="one_text_per_row-3"),
        pytest.param(PACKED, 1, id="packed-1"),
        pytest.param(PACKED, 3, id="packed-3", marks=pytest.mark.matrix),
    ],
)
def test_gradients_equal_those_of_computing_every_token(rows, layers):
    encoder = _perturbed(tiny_bert(layers=layers, dropout=0.0, attention_dropout=0.0))
    variables = [v.value for v in encoder.trainable_variables]

    def found(every_token):
        with tf.GradientTape() as tape:
            pooled = encoder(**rows, every_token=every_token, training=True)["pooled"]
            weights = tf.reshape(tf.range(tf.size(pooled), dtype="float32"), tf.shape(pooled))
            loss = tf.reduce_sum(pooled * tf.sin(weights))
        gradients = tape.gradient(loss, variables, unconnected_gradients="zero")
        return [pooled, *map(tf.convert_to_tensor, gradients)]

    for some, every, path in zip(
        found(False), found(True), ["pooled", *(v.path for v in encoder.weights)], strict=True
    ):
        assert np.abs(every).max() > 0 or path.endswith("segment_embedding"), path
        np.testing.assert_allclose(some, every, rtol=0, atol=2e-5, err_msg=path)


@pytest.mark.parametrize("rows", [ROWS, PACKED], ids=["one_text_per_row", "packed"])
def test_attention_dropout_equals_that_of_computing_every_token(rows, monkeypatch):
    encoder = _perturbed(tiny_bert(layers=2, dropout=0.0, attention_dropout=0.5))

    def keep_mask(shape, rate, seeds):
        """Keep keys by their position only, so that both computations drop the same ones."""
        return tf.broadcast_to(np.arange(7) % 3 > 0, shape), rate

    monkeypatch.setattr(_gradients, "keep_mask", keep_mask)
    some, every = (
        encoder(**rows, every_token=every_token, training=True)["pooled"]
        for every_token in (False, True)
    )
    np.testing.assert_allclose(some, every, rtol=0, atol=1e-5)
    assert np.abs(every - encoder(**rows)["pooled"]).max() > 0.01


@pytest.mark.parametrize(
    ("policy", "tolerance"), [("mixed_float16", 0.02), ("mixed_bfloat16", 0.2)]
)
def test_half_precision_is_close(policy, tolerance):
    case = golden("gelu")["padded_segments_7"]
    encoder = pretrained_bert(FIXTURES / "gelu", dtype=policy)
    pooled = encoder(**inputs(case), every_token=False)["pooled"]
    assert keras.backend.standardize_dtype(pooled.dtype) == policy.removeprefix("mixed_")
    np.testing.assert_allclose(np.float32(pooled), case["pooled"], rtol=0, atol=tolerance)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_model_computes_every_token_only_for_a_head_that_reads_them(pooling):
    head = Classification(classes=2, pooling=pooling, seed=1)
    model = FineTuner(encoder=tiny_bert(), head=head, pad_id=0)
    features, _ = model.features({"token_ids": ROWS["token_ids"]})
    assert ("sequence" in features) == (pooling == "mean")


def test_last_layer_costs_almost_nothing():
    """TensorFlow counts the floating-point operations of a forward pass."""
    encoder = tiny_bert(layers=4, hidden=64, heads=4, positions=128)

    def operations(every_token):
        def pooled(ids):
            return encoder(ids, every_token=every_token)["pooled"]

        function = tf.function(pooled, autograph=False)
        graph = function.get_concrete_function(tf.TensorSpec([8, 128], tf.int32)).graph
        options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
        options["output"] = "none"
        return tf.compat.v1.profiler.profile(graph, options=options).total_float_ops

    assert 0.75 < operations(False) / operations(True) < 0.8
