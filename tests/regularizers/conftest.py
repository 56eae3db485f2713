import keras
import pytest


@pytest.fixture
def float64():
    """Everything made in the test computes in float64, so that differences can be taken."""
    _compute_in("float64")
    yield
    _compute_in("float32")


def _compute_in(dtype):
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)  # else it stays as it was when a layer first asked
