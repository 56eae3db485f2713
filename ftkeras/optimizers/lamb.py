"""LAMB."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ftkeras.optimizers._base import DEFAULT_RATE, NO_DECAY
from ftkeras.optimizers.adamw import AdamW


@keras.saving.register_keras_serializable(package="ftkeras")
class Lamb(AdamW):
    """AdamW for large batches: each variable's step is scaled to the norm of the variable.

    u = m' / (sqrt(v') + epsilon) + decay w
    w <- w - learning_rate ||w|| / ||u|| u

    with the moments m' and v' of `AdamW`. The ratio is 1 if either norm is 0. LayerNorm and
    biases do not decay. The decay is part of u, so it enters the ratio (Keras's own Lamb keeps it
    outside).

    Source: You et al., 2020, algorithm 2 with phi(z) = z, https://arxiv.org/abs/1904.00962.

    Args: those of `AdamW`, except `lazy`: the norms are those of whole variables.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> Lamb(learning_rate=1e-3).epsilon
    1e-06
    """

    rate_factor = None

    def __init__(
        self,
        learning_rate: Any = DEFAULT_RATE,
        *,
        clip_norm: float = 1.0,
        decay: float = 0.01,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-6,
        bias_correction: bool = True,
        no_decay: str = NO_DECAY,
        multipliers: Sequence[tuple[str, float]] = (),
        skip_nonfinite: bool = False,
        loss_scaling: bool = False,
        name: str = "lamb",
        **kwargs,
    ):
        if kwargs.get("lazy"):
            raise ValueError(
                "`lazy` must be False for lamb, because the norms are those of whole variables; "
                f"use adamw. Received: {kwargs['lazy']!r}."
            )
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
            skip_nonfinite=skip_nonfinite,
            loss_scaling=loss_scaling,
            name=name,
            **kwargs,
        )

    def apply_decay(self, variable: Any, learning_rate: Any) -> None:
        """Do nothing: the decay is part of the step."""
        return  # AutoGraph, which removes docstrings, needs a statement

    def update_step(
        self,
        gradient: Any,
        variable: Any,
        learning_rate: Any,
        power_1: Any,
        power_2: Any,
        epsilon: Any,
    ) -> None:
        index = self.variable_index(variable)
        first, second = self.first[index], self.second[index]
        self.assign_add(first, (gradient - first) * (1 - self.beta_1))
        self.assign_add(second, (tf.square(gradient) - second) * (1 - self.beta_2))
        # `epsilon` is already scaled by sqrt(1 - beta_2^t), so it can be added to sqrt(v).
        step = first / (1 - power_1) * tf.sqrt(1 - power_2) / (tf.sqrt(second) + epsilon)
        if self.decays[index]:
            step += self.decay * variable
        length, step_length = tf.norm(variable), tf.norm(step)
        both = (length > 0) & (step_length > 0)
        ratio = tf.where(both, tf.math.divide_no_nan(length, step_length), 1.0)
        self.assign_sub(variable, learning_rate * ratio * step)
