"""The gradient of a function inside a training step."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

Tensor = Any


def value_and_gradient(function: Callable[[Tensor], Tensor], at: Tensor) -> tuple[Tensor, Tensor]:
    """Return the scalar value of `function` at a point, and its gradient there.

    The value can be differentiated again with respect to what it depends on.

    >>> value, gradient = value_and_gradient(lambda x: x**2, tf.constant(3.0))
    >>> print(float(value), float(gradient))
    9.0 6.0
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(at)
        value = function(at)
    return value, tape.gradient(value, at)
