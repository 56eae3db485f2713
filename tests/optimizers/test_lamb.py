import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.optimizers import algorithms


@pytest.mark.parametrize(("weight", "gradient"), [(0.0, 1.0), (1.0, 0.0)])
def test_ratio_is_one_where_a_norm_is_zero(weight, gradient):
    kernel = keras.Variable(np.full(4, weight, "float32"), name="kernel")
    optimizer = algorithms.make("lamb", decay=0.0)
    optimizer.build([kernel])
    optimizer.apply_gradients([(tf.fill([4], gradient), kernel)])
    np.testing.assert_allclose(kernel.numpy(), weight - algorithms.RATE * gradient, rtol=1e-4)
