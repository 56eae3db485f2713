"""Targets with and without a last axis of 1, which `fit` adds to a pandas Series."""

import keras
import numpy as np
import pytest

from ftkeras import losses

RNG = np.random.default_rng(0)
CLASSES = RNG.integers(0, 3, 8)
LOGITS = RNG.normal(size=(8, 3)).astype("float32")
NUMBERS = RNG.normal(size=8).astype("float32")
OUTPUTS = RNG.normal(size=(8, 1)).astype("float32")
VECTORS = RNG.normal(size=(8, 6)).astype("float32")


@pytest.mark.parametrize(
    ("loss", "flat", "outputs"),
    [
        (losses.CrossEntropy(), CLASSES, LOGITS),
        (losses.Focal(gamma=1.0), CLASSES, LOGITS),
        (losses.MeanSquaredError(), CLASSES, LOGITS),
        (losses.BinaryCrossEntropy(), CLASSES % 2, LOGITS[:, :2]),
        (losses.CosineRegression(), NUMBERS, VECTORS),
        (losses.MeanSquaredError(), NUMBERS, OUTPUTS),
        (losses.MeanAbsoluteError(), NUMBERS, OUTPUTS),
        (losses.Huber(), NUMBERS, OUTPUTS),
        (losses.BinaryCrossEntropy(), CLASSES % 2, OUTPUTS),
    ],
    ids=lambda value: value.name if isinstance(value, keras.losses.Loss) else "",
)
def test_a_column_of_targets_is_as_good_as_a_row(loss, flat, outputs):
    each = np.asarray(loss.call(keras.ops.array(flat), keras.ops.array(outputs)))
    assert each.shape == (8,)
    found = np.asarray(loss.call(keras.ops.array(flat[:, None]), keras.ops.array(outputs)))
    np.testing.assert_array_equal(found, each)
    # One after the other: no example is compared with the target of another.
    alone = [
        float(loss(keras.ops.array(flat[n : n + 1]), keras.ops.array(outputs[n : n + 1])))
        for n in range(8)
    ]
    np.testing.assert_allclose(each, alone, rtol=1e-5)


def test_numbers_without_the_axis_of_a_single_output_are_learned():
    expected = keras.losses.MeanSquaredError()(NUMBERS[:, None], OUTPUTS)
    assert float(losses.MeanSquaredError()(NUMBERS, OUTPUTS)) == pytest.approx(float(expected))
    expected = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(CLASSES, LOGITS)
    found = losses.CrossEntropy()(CLASSES[:, None], LOGITS)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)
