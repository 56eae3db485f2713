from collections.abc import Sequence

import keras
import tensorflow as tf

from ftkeras.optimizers._base import NO_DECAY
from ftkeras.optimizers.adamw import AdamW


@keras.saving.register_keras_serializable(package="ftkeras")
class Lamb(AdamW):
    """AdamW's step, given each variable's own length; for large batches.

    u = m' / (sqrt(v') + epsilon) + decay w
    w <- w - rate ||w|| / ||u|| u

    with the moments m', v' of `AdamW`; the ratio is 1 where either norm is 0. The decay is part of
    u, so it enters the ratio (Keras's own takes it outside). LayerNorm and biases do not decay.
    Source: You et al., 2020, algorithm 2 with phi(z) = z, https://arxiv.org/abs/1904.00962.

    Args: those of `AdamW`.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    def __init__(
        self,
        *,
        learning_rate,
        clip_norm: float = 1.0,
        decay: float = 0.01,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-6,
        bias_correction: bool = True,
        no_decay: str = NO_DECAY,
        multipliers: Sequence[tuple[str, float]] = (),
        name: str = "lamb",
        **kwargs,
    ):
        super().__init__(
            learning_rate=learning_rate,
            clip_norm=clip_norm,
            decay=decay,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            bias_correction=bias_correction,
            no_decay=no_decay,
            multipliers=multipliers,
            name=name,
            **kwargs,
        )

    def shrink(self, variable, learning_rate):
        """Nothing: the decay is part of the step."""

    def update_step(self, gradient, variable, learning_rate, power_1, power_2, epsilon):
        index = self._get_variable_index(variable)
        first, second = self.first[index], self.second[index]
        self.assign_add(first, (gradient - first) * (1 - self.beta_1))
        self.assign_add(second, (tf.square(gradient) - second) * (1 - self.beta_2))
        # `epsilon` comes scaled by sqrt(1 - beta_2^t), so that it may be added to sqrt(v).
        step = first / (1 - power_1) * tf.sqrt(1 - power_2) / (tf.sqrt(second) + epsilon)
        if self.decays[index]:
            step += self.decay * variable
        length, step_length = tf.norm(variable), tf.norm(step)
        both = (length > 0) & (step_length > 0)
        ratio = tf.where(both, tf.math.divide_no_nan(length, step_length), 1.0)
        self.assign_sub(variable, learning_rate * ratio * step)
