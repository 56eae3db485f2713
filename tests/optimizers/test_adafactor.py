import keras
import numpy as np
import tensorflow as tf

from tests.optimizers import algorithms


def _one_step(optimizer, gradient):
    kernel = keras.Variable(np.ones(gradient.shape, "float32"), name="kernel")
    optimizer.build([kernel])
    optimizer.apply_gradients([(tf.constant(gradient), kernel)])
    return kernel.numpy()


def test_memory_of_a_matrix_is_its_rows_and_columns():
    optimizer = algorithms.make("adafactor")
    optimizer.build([keras.Variable(np.ones((50, 30), "float32"), name="kernel")])
    sizes = [v.shape.num_elements() for v in optimizer.variables if v.ndim]
    assert sorted(sizes) == [30, 50]


def test_rows_and_columns_without_gradient_stay_finite():
    gradient = np.ones((3, 3), "float32")
    gradient[0], gradient[:, 0] = 0, 0
    after = _one_step(algorithms.make("adafactor", decay=0.0), gradient)
    assert np.isfinite(after).all()
    np.testing.assert_array_equal(after == 1, gradient == 0)


def test_stacked_matrices_are_factored_each_for_itself():
    gradient = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    optimizer = algorithms.make("adafactor", decay=0.0, clip_threshold=1e9, scale_parameter=False)
    together = _one_step(optimizer, gradient)
    for one, g in zip(together, gradient, strict=True):
        optimizer = algorithms.make(
            "adafactor", decay=0.0, clip_threshold=1e9, scale_parameter=False
        )
        np.testing.assert_allclose(one, _one_step(optimizer, g), rtol=1e-6)
