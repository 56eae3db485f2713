"""Test the classification head: its formula, poolings, dropout, seeds."""

import keras
import numpy as np
import pytest

from ftkeras.heads.classification import Classification
from ftkeras.support.protocols import Head

RNG = np.random.default_rng(0)
SEQUENCE = RNG.normal(size=(2, 4, 5)).astype("float32")
FEATURES = {
    "sequence": SEQUENCE,
    "first": SEQUENCE[:, 0],
    "pooled": RNG.normal(size=(2, 5)).astype("float32"),
}
MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0]], bool)
VECTORS = {
    "pooled": FEATURES["pooled"],
    "cls": FEATURES["first"],
    "mean": np.stack([FEATURES["sequence"][0].mean(0), FEATURES["sequence"][1, :2].mean(0)]),
}


@pytest.mark.parametrize("pooling", VECTORS)
def test_logits_are_dense_on_the_chosen_vector(pooling):
    head = Classification(classes=3, pooling=pooling, seed=1)
    logits = head(FEATURES, MASK)
    expected = VECTORS[pooling] @ head.kernel.numpy() + head.bias.numpy()
    np.testing.assert_allclose(keras.ops.convert_to_numpy(logits), expected, rtol=1e-5, atol=1e-6)


def test_head_fulfils_its_protocol():
    assert isinstance(Classification(classes=2), Head)


def test_mean_of_packed_rows_is_over_each_text():
    head = Classification(classes=3, pooling="mean", seed=1)
    # The first row has texts of 1 and 3 tokens, the second of 2, an absent one, and padding.
    members = [[[1, 0, 0, 0], [0, 1, 1, 1]], [[1, 1, 0, 0], [0, 0, 0, 0]]]
    features = {**FEATURES, "membership": np.array(members, bool)}
    first, second = SEQUENCE
    expected = [first[0], first[1:].mean(0), second[:2].mean(0), np.zeros(5)]
    vectors = keras.ops.convert_to_numpy(head.text_vectors(features, MASK))
    np.testing.assert_allclose(vectors, expected, rtol=1e-5, atol=1e-6)
    assert head(features, MASK).shape == (4, 3)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_logits_from_precomputed_vectors_are_the_same(pooling):
    head = Classification(classes=3, pooling=pooling, seed=1)
    expected = head(FEATURES, MASK)
    vectors = head.text_vectors(FEATURES, MASK)
    np.testing.assert_array_equal(head({"vector": vectors}, None), expected)


def test_dropout_acts_in_training_only():
    head = Classification(classes=3, dropout=0.5, seed=1)
    assert np.array_equal(head(FEATURES, MASK), head(FEATURES, MASK))
    assert not np.array_equal(head(FEATURES, MASK, training=True), head(FEATURES, MASK))


def test_same_seed_gives_same_kernel():
    first, second = (Classification(classes=3, seed=5) for _ in range(2))
    first(FEATURES, MASK), second(FEATURES, MASK)
    assert np.array_equal(first.kernel.numpy(), second.kernel.numpy())


def test_only_pooled_needs_the_pooler():
    assert [p for p in VECTORS if Classification(classes=2, pooling=p).needs_pooler] == ["pooled"]


def test_only_mean_needs_every_token():
    needs = [p for p in VECTORS if Classification(classes=2, pooling=p).needs_every_token]
    assert needs == ["mean"]


def test_unknown_pooling_is_refused():
    with pytest.raises(ValueError, match="`pooling`.*pooled, cls, mean.*max"):
        Classification(classes=2, pooling="max")
