"""Dynamic loss scaling for float16."""

from typing import Any

import keras
import tensorflow as tf

# As in torch.amp.GradScaler, https://pytorch.org/docs/stable/amp.html.
FIRST_SCALE, GROWTH_INTERVAL = 2.0**16, 2000


class LossScale:
    """Dynamic loss scale, so that float16 gradients neither vanish nor overflow.

    scale <- max(scale / 2, 1)      after an update whose gradient was not finite, which is skipped
    scale <- 2 scale                after 2,000 finite updates in a row

    Source: Micikevicius et al., 2018, section 3.2, https://arxiv.org/abs/1710.03740.

    Args:
        optimizer: owns the two variables, so that they are saved with its own.
    """

    def __init__(self, optimizer: keras.optimizers.Optimizer):
        once = {"shape": (), "aggregation": "only_first_replica"}
        first: Any = keras.initializers.Constant(FIRST_SCALE)
        self.value = optimizer.add_variable(
            name="loss_scale", dtype="float32", initializer=first, **once
        )
        self.finite_updates = optimizer.add_variable(name="good_updates", dtype="int64", **once)

    def scale(self, loss: Any) -> Any:
        """Return the loss to differentiate."""
        return loss * tf.cast(self.value.value, loss.dtype)

    def unscale(self, gradients: list) -> list:
        """Return the gradients of the unscaled loss; IndexedSlices too."""
        share = 1 / self.value.value  # exact, since the scale is a power of two
        return [tf.math.scalar_mul(tf.cast(share, g.dtype), g) for g in gradients]

    def update(self, finite: Any) -> None:
        """Adapt the scale, given whether this update's gradient was finite, bool scalar ()."""
        count = self.finite_updates.value
        good = tf.where(finite, count + 1, tf.zeros_like(count))
        grows = good >= GROWTH_INTERVAL
        factor = tf.where(finite, tf.where(grows, 2.0, 1.0), 0.5)
        self.value.assign(tf.maximum(self.value.value * factor, 1.0))
        self.finite_updates.assign(tf.where(grows, tf.zeros_like(good), good))
