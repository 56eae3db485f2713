"""Test the classification head: its formula, poolings, dropout, seeds."""

import keras
import numpy as np
import pytest

from ftkeras.heads.classification import Classification

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
