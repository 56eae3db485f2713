import tensorflow as tf

# torch.amp.GradScaler's, https://pytorch.org/docs/stable/amp.html.
FIRST, GROWS_AFTER = 2.0**16, 2000


class LossScale:
    """The factor on the loss by which float16 gradients neither vanish nor overflow.

    scale <- scale / 2      where a gradient was no number, and the update is left out
    scale <- 2 scale        after 2,000 updates running in which all were

    Source: Micikevicius et al., 2018, section 3.2, https://arxiv.org/abs/1710.03740.

    Args:
        optimizer: owns the two variables, so that they are kept with its own.
    """

    def __init__(self, optimizer):
        once = {"shape": (), "aggregation": "only_first_replica"}
        self.scale = optimizer.add_variable(name="loss_scale", dtype="float32", **once)
        self.good = optimizer.add_variable(name="good_updates", dtype="int64", **once)
        self.scale.assign(FIRST)

    def scaled(self, loss):
        """The loss to differentiate."""
        return loss * tf.cast(self.scale.value, loss.dtype)

    def undone(self, grads):
        """The gradients of the loss itself, also those by rows."""
        share = 1 / self.scale.value  # exact, for a scale is a power of two
        return [tf.math.scalar_mul(tf.cast(share, grad.dtype), grad) for grad in grads]

    def hear(self, finite) -> None:
        """Takes in whether this update's gradients were numbers, boolean scalar ()."""
        good = tf.where(finite, self.good.value + 1, tf.zeros_like(self.good.value))
        grows = good >= GROWS_AFTER
        factor = tf.where(finite, tf.where(grows, 2.0, 1.0), 0.5)
        self.scale.assign(tf.maximum(self.scale.value * factor, 1.0))
        self.good.assign(tf.where(grows, tf.zeros_like(good), good))
