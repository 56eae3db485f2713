"""The regression head: a dense layer with one output or several."""

import numpy as np
import pytest

from ftkeras.heads.regression import Regression
from ftkeras.support.protocols import Head


@pytest.mark.parametrize("outputs", [1, 3])
def test_outputs_are_linear_in_the_vector(outputs):
    vectors = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    head = Regression(outputs=outputs, seed=1)
    assert isinstance(head, Head)
    found = head({"first": vectors, "pooled": vectors}, np.ones((4, 2), bool))
    expected = vectors @ head.kernel.numpy() + head.bias.numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_no_output_is_refused():
    with pytest.raises(ValueError, match="`outputs` must be an integer of at least 1.*: 0"):
        Regression(outputs=0)
