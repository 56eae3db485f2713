"""Fixtures of the regularizers' tests."""

import keras
import pytest


@pytest.fixture
def float64():
    """Compute in float64 during the test, for finite differences."""
    _compute_in("float64")
    yield
    _compute_in("float32")


def _compute_in(dtype):
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)  # Keras would otherwise cache the old policy
