"""Relative positions: buckets as in the reference, and the reshape that places their scores."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from ftkeras import catalog
from ftkeras.encoders import _relative
from ftkeras.encoders.deberta_v2 import DebertaV2
from ftkeras.support.layer_hooks import LayerHooks
from tests.encoders.golden import FIXTURES
from tests.matrix import matrix


def test_buckets_are_those_of_the_reference():
    with np.load(FIXTURES / "buckets.npz") as golden:
        distances = golden["distances"]
        np.testing.assert_equal(_relative.ScoreBias(512).row_of(distances), golden["mpnet"])
        rows = np.clip(golden["deberta"] + 256, 0, 511)
        np.testing.assert_equal(_relative.Disentangled(512).row_of(distances), rows)


@pytest.mark.parametrize("length", [1, 2, 5])
def test_shift_places_the_scores_of_distances(length):
    x = np.random.default_rng(0).normal(size=(2, length, 2 * length))
    rows = np.arange(length)
    places = length - 1 - rows[:, None] + rows
    wanted = np.take_along_axis(x, np.broadcast_to(places, (2, length, length)), axis=2)
    np.testing.assert_equal(ops.convert_to_numpy(_relative.shift(x)), wanted)


def test_rows_of_a_length_that_is_not_known_yet_are_those_of_a_known_one():
    relative = _relative.Disentangled(20, buckets=8, furthest=20)
    for length in (1, 7, 20):
        unknown = tf.constant(length)
        for part in (relative.falling, relative.rising):
            np.testing.assert_equal(part(unknown).numpy(), part(length))
        np.testing.assert_equal([int(n) for n in relative.used(unknown)], relative.used(length))
        first, last = relative.used(length)
        assert {first, last - 1} <= {*relative.falling(length), *relative.rising(length)}


@pytest.mark.parametrize("heads", [1, 2])
def test_products_are_those_of_each_head(heads):
    random = np.random.default_rng(0)
    states = random.normal(size=(8, heads, 10, 8)).astype("float32")
    rows = random.normal(size=(heads, 20, 8)).astype("float32")
    found = _relative._products(tf.constant(states), tf.constant(rows))
    wanted = np.einsum("bhld,hrd->bhlr", states, rows)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


SIZES = {"vocabulary_size": 30, "layers": 2, "hidden": 8, "heads": 2, "positions": 12}
IDS = np.array([[5, 6, 7, 8, 9, 10, 0], [5, 9, 3, 5, 4, 6, 8]])
STARTS = np.array([[0, 2, 5], [0, 3, 6]])


def gradients(name, every_token, *, recompute=False, **inputs):
    """Return the pooled vectors and all gradients, with weights that are not small."""
    hooks, random = LayerHooks(recompute=recompute), np.random.default_rng(3)
    quiet = {"dropout": 0.0, "attention_dropout": 0.0}
    encoder = catalog.find("encoder", name)(**SIZES, **quiet, seed=1, hooks=hooks)
    for variable in encoder.weights:
        variable.assign(np.array(variable) + random.normal(size=variable.shape) * 0.3)
    with tf.GradientTape() as tape:
        pooled = encoder(IDS, **inputs, every_token=every_token, training=True)["pooled"]
        weights = tf.reshape(tf.range(tf.size(pooled), dtype="float32"), tf.shape(pooled))
        loss = tf.reduce_sum(pooled * tf.sin(weights))
    found = tape.gradient(loss, [v.value for v in encoder.trainable_variables])
    paths = [v.path for v in encoder.trainable_variables]
    return pooled, dict(zip(paths, map(tf.convert_to_tensor, found), strict=True))


CASES = ["alone", "packed", "recomputed"]


@pytest.mark.parametrize("name", matrix(["mpnet", "deberta_v2"], default=["deberta_v2"]))
@pytest.mark.parametrize("case", matrix(CASES, default=["packed"]))
def test_gradients_equal_those_of_the_other_way_to_compute(name, case):
    """First tokens alone are differentiated by TensorFlow, all tokens by our own gradients."""
    packed = {"starts": STARTS} if case != "alone" else {}
    pooled, found = gradients(name, False, **packed)
    other, expected = gradients(name, True, recompute=case == "recomputed", **packed)
    np.testing.assert_allclose(pooled, other, rtol=0, atol=1e-5)
    assert np.abs(found["encoder/embeddings/relative_embedding"]).max() > 0.01
    for path, gradient in found.items():
        np.testing.assert_allclose(gradient, expected[path], rtol=0, atol=2e-4, err_msg=path)


PUBLISHED = {
    "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "type_vocab_size": 0,
    "relative_attention": True, "position_buckets": 256, "norm_rel_ebd": "layer_norm",
    "share_att_key": True, "pos_att_type": "p2c|c2p", "position_biased_input": False,
    "max_relative_positions": -1, "pooler_hidden_size": 768, "pooler_hidden_act": "gelu",
    "pooler_dropout": 0, "max_position_embeddings": 512, "vocab_size": 128100,
}  # fmt: skip


def test_config_of_deberta_v3_is_read():
    settings = DebertaV2.settings({"model_type": "deberta-v2", **PUBLISHED})
    assert (settings["buckets"], settings["furthest"], settings["absolute"]) == (256, -1, False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"conv_kernel_size": 3}, "`conv_kernel_size` must be 0. Received: 3"),
        ({"share_att_key": False}, "`share_att_key` must be True"),
        ({"relative_attention": None}, "`relative_attention` must be True"),
        ({"pos_att_type": "c2p"}, "`pos_att_type` must be 'p2c|c2p'. Received: 'c2p'"),
        ({"norm_rel_ebd": "none"}, "`norm_rel_ebd` must be 'layer_norm'"),
        ({"pooler_hidden_size": 4}, "`pooler_hidden_size` must be 768. Received: 4"),
        ({"embedding_size": 128}, "`embedding_size` must be 768. Received: 128"),
    ],
)
def test_other_networks_are_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message.replace("|", r"\|")):
        DebertaV2.settings({"model_type": "deberta-v2", **PUBLISHED, **changes})
