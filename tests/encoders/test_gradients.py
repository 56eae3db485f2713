"""Compare hand-written gradients with SciPy's formulas and finite differences."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from scipy.stats import norm

from ftkeras.encoders import _gradients
from tests.matrix import matrix

DRAWS = np.random.default_rng(0)
SHAPE = (2, 2, 5, 3)
BIASES = {
    "none": None,
    "padding": np.where(np.arange(5) < 4, 0.0, -3e4)[None, None, None],
    "packed": DRAWS.normal(size=(2, 1, 5, 5)),
}


def _largest_error(function, *arrays) -> float:
    """Return the largest difference between the gradients and finite differences."""
    arrays = [tf.constant(array) for array in arrays]
    function = tf.function(function, autograph=False)  # which is called twice for each number
    written, expected = tf.test.compute_gradient(function, arrays, delta=1e-4)
    assert all(np.abs(one).max() > 0.01 for one in written)
    return max(np.abs(one - other).max() for one, other in zip(written, expected, strict=True))


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_gelu_and_its_slope_equal_the_normal_distribution(dtype):
    bound = {"float64": 1e-14, "float32": 1e-6, "bfloat16": 5e-3, "float16": 6e-4}[dtype]
    x = tf.cast(np.linspace(-8, 8, 1001), dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        trained = _gradients.gelu_with_gradient(x)
    slope = tape.gradient(trained, x)
    assert slope.dtype == trained.dtype == x.dtype
    at = np.float64(x)
    for found, expected in (
        (_gradients.gelu(x), at * norm.cdf(at)),
        (trained, at * norm.cdf(at)),
        (slope, norm.cdf(at) + at * norm.pdf(at)),
    ):
        np.testing.assert_allclose(np.float64(found), expected, rtol=bound, atol=bound)


@pytest.mark.matrix
@pytest.mark.parametrize("batch", [1, 2], ids=["shared", "own"])
def test_gradients_of_relative_scores_equal_finite_differences(batch):
    def attention(query, key, value, relative):
        return _gradients.attention_with_gradient(query, key, value, None, 0.4, 3, relative)

    random = np.random.default_rng(1)
    arrays = [random.normal(size=(2, 2, 3, 2)) for _ in range(3)]
    assert _largest_error(attention, *arrays, random.normal(size=(batch, 2, 3, 3))) < 1e-7


@pytest.mark.parametrize("rate", matrix([0.0, 0.4], default=[0.4]))
@pytest.mark.parametrize("bias", matrix(BIASES, default=["packed"]))
def test_gradients_of_attention_equal_finite_differences(bias, rate):
    bias = BIASES[bias]

    def attention(query, key, value):
        return _gradients.attention_with_gradient(query, key, value, bias, rate, seeds=3)

    arrays = [DRAWS.normal(size=SHAPE) for _ in range(3)]
    assert _largest_error(attention, *arrays) < 1e-7
    query, key, value = arrays
    plain = ops.matmul(_gradients.probabilities(query, key, bias), value)
    assert (np.abs(attention(*arrays) - plain).max() < 1e-12) == (rate == 0)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_gradients_of_attention_in_half_precision_are_near(precision):
    arrays = [tf.constant(DRAWS.normal(size=SHAPE), "float32") for _ in range(3)]

    def gradients(dtype):
        given = [tf.cast(array, dtype) for array in arrays]
        with tf.GradientTape() as tape:
            tape.watch(given)
            values = _gradients.attention_with_gradient(*given, BIASES["packed"], 0.4, seeds=3)
        return tape.gradient(values, given)

    for half, whole in zip(gradients(precision), gradients("float32"), strict=True):
        assert half.dtype == precision
        np.testing.assert_allclose(np.float32(half), whole, rtol=0, atol=0.05)


def test_dropout_of_attention_keeps_the_mean():
    shape = (64, 4, 32, 8)
    query, key = (tf.constant(DRAWS.normal(size=shape), "float32") for _ in range(2))
    values = _gradients.attention_with_gradient(query, key, tf.ones(shape), None, 0.3, seeds=3)
    assert np.mean(values) == pytest.approx(1.0, abs=0.01)


def test_gradient_of_standardize_equals_finite_differences():
    x = DRAWS.normal(size=(4, 7)) + 2
    weights = DRAWS.normal(size=(4, 7))
    assert (
        _largest_error(lambda x: _gradients.standardize_with_gradient(x, 1e-5) * weights, x) < 1e-7
    )
    np.testing.assert_array_equal(
        _gradients.standardize_with_gradient(x, 1e-5), _gradients.standardize(x, 1e-5)
    )


def test_dropout_drops_a_share_and_scales_the_rest():
    x = np.full((50, 40, 30), 3.0, "float32")
    dropped = np.array(_gradients.dropout(x, 0.3, seeds=1))
    assert (dropped == 0).mean() == pytest.approx(0.3, abs=0.01)
    np.testing.assert_allclose(dropped[dropped > 0], 3 / 0.7, rtol=1e-4)
