"""The similarity head."""

import numpy as np
import pytest

from ftkeras.heads._pooling import mean_of_tokens
from ftkeras.heads.similarity import Similarity

STATES = np.random.default_rng(0).normal(size=(4, 3, 5)).astype(np.float32)
MASK = np.array([[1, 1, 1], [1, 0, 0], [1, 1, 0], [0, 0, 0]], bool)


def _vectors() -> np.ndarray:
    found = np.zeros((4, 5))
    for row in range(3):
        mean = STATES[row, MASK[row]].mean(axis=0)
        found[row] = mean / np.linalg.norm(mean)
    return found


def test_vector_is_the_mean_of_the_tokens_with_length_1_and_0_of_padding():
    found = Similarity().states({"sequence": STATES}, MASK)
    np.testing.assert_allclose(found, _vectors(), rtol=1e-5, atol=1e-6)


def test_output_is_the_vectors_of_rows_that_follow_each_other():
    found = Similarity()({"sequence": STATES}, MASK)
    np.testing.assert_allclose(found, _vectors().reshape(2, 10), rtol=1e-5, atol=1e-6)
    assert Similarity()({"sequence": STATES[:3]}, MASK[:3]).shape == (1, 10)


def test_head_has_no_weights_and_is_made_again_from_its_configuration():
    head = Similarity()
    head.build({"first": (None, 5)})
    assert head.weights == []
    assert Similarity.from_config(head.get_config()).name == "head"


def test_mean_of_many_tokens_does_not_overflow_in_float16():
    states = np.full((1, 8192, 2), [12.0, 5.0], "float16")  # 12 * 8192 is beyond its range
    found = mean_of_tokens({"sequence": states}, np.ones((1, 8192), bool))
    np.testing.assert_array_equal(found, [[12.0, 5.0]])
    assert found.dtype == "float16"


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_vectors_are_float32(dtype):
    found = Similarity(dtype=dtype)({"sequence": STATES.astype(dtype)}, MASK)
    np.testing.assert_allclose(np.array(found), _vectors().reshape(2, 10), atol=2e-3)
    assert np.array(found).dtype == np.float32
