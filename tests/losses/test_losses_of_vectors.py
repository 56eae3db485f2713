"""The losses of pairs of vectors: their formulas and gradients, with and without padding."""

import numpy as np
import pytest
import tensorflow as tf

from ftkeras import catalog
from ftkeras.support.protocols import Loss
from tests.losses import references

RNG = np.random.default_rng(3)
_NORMAL = RNG.normal(size=(5, 2, 4))
VECTORS = (_NORMAL / np.linalg.norm(_NORMAL, axis=-1, keepdims=True)).reshape(5, 8)
SCORES = RNG.uniform(size=5)
CASES = [
    ("cosine_regression", {}),
    ("in_batch_negatives", {}),
    ("in_batch_negatives", {"scale": 3}),
]
case = pytest.mark.parametrize(("name", "keys"), CASES)


@case
def test_loss_equals_its_formula_and_finite_differences(name, keys):
    formula, loss, step = references.OF_VECTORS[name], catalog.find("loss", name)(**keys), 1e-6
    assert isinstance(loss, Loss)
    expected = formula(SCORES, VECTORS, **keys)
    vectors = tf.constant(VECTORS.astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(vectors)
        found = loss.call(SCORES, vectors)
        mean = tf.reduce_mean(found)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    rises = np.zeros(VECTORS.shape)
    for at in np.ndindex(*VECTORS.shape):
        moved = VECTORS.copy()
        moved[at] += step
        rises[at] = (formula(SCORES, moved, **keys).mean() - expected.mean()) / step
    np.testing.assert_allclose(tape.gradient(mean, vectors), rises, rtol=2e-3, atol=1e-4)


@case
def test_rows_of_padding_change_no_other_loss_and_have_a_finite_gradient(name, keys):
    loss = catalog.find("loss", name)(**keys)
    padded = tf.constant(np.pad(VECTORS, [(0, 2), (0, 0)]).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(padded)
        found = loss.call(np.pad(SCORES, (0, 2)), padded)
        kept = tf.reduce_sum(tf.where(np.arange(7) < 5, found, 0.0))
    expected = references.OF_VECTORS[name](SCORES, VECTORS, **keys)
    np.testing.assert_allclose(found[:5], expected, rtol=1e-4, atol=1e-6)
    gradient = tape.gradient(kept, padded).numpy()
    assert np.isfinite(gradient).all()
    assert np.isfinite(found).all()


def test_scale_must_be_positive():
    with pytest.raises(ValueError, match="`scale`"):
        catalog.find("loss", "in_batch_negatives")(scale=0)
