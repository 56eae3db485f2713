"""The gradient of a function inside a training step."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

Tensor = Any


def value_and_gradient(
    function: Callable[[Tensor], Tensor],
    at: Tensor,
    *,
    scale_loss: Callable[[Tensor], Tensor] = tf.identity,
) -> tuple[Tensor, Tensor]:
    """Return the scalar value of `function` at a point, and its gradient there.

    The value can be differentiated again with respect to what it depends on.

    Args:
        function: tensor -> scalar ().
        at: the point.
        scale_loss: the optimizer's, which multiplies a loss by a factor. The gradient is computed
            with it and divided by it, so that it does not vanish in layers that compute in float16.
            It is not finite where it overflows.

    >>> value, gradient = value_and_gradient(lambda x: x**2, tf.constant(3.0))
    >>> print(float(value), float(gradient))
    9.0 6.0
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(at)
        value = function(at)
    scale = scale_loss(tf.ones_like(value))
    scaled = tape.gradient(value, at, output_gradients=scale)
    return value, scaled / tf.cast(scale, scaled.dtype)
