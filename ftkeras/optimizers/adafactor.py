"""Adafactor."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ftkeras.optimizers._base import DEFAULT_RATE, NO_DECAY, FineTuningOptimizer
from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class Adafactor(FineTuningOptimizer):
    """Adam with less memory: the second moment is stored as row and column means.

    The memory for a matrix is rows + columns, not rows * columns.

    r <- b r + (1 - b) mean over columns of (g² + epsilon_1)          b = 1 - t^-power, t from 1
    c <- b c + (1 - b) mean over rows of (g² + epsilon_1)
    u = g / sqrt(r c / mean(r))            (vectors: u = g / sqrt(v), with v updated like r)
    w <- w - learning_rate max(epsilon_2, rms(w)) u / max(1, rms(u) / clip_threshold)

    The paper's learning rate, min(0.01, 1 / sqrt(t)), is relative to the size of the weights and
    far above AdamW's. `scale_parameter=False` omits the factor max(epsilon_2, rms(w)), so use it
    with learning rates like AdamW's. rms(w) is taken before this step's decay. Keras's own
    Adafactor stores all of r c / mean(r) too, and divides 0 by 0 where a row and a column have no
    gradient.

    Source: Shazeer and Stern, 2018, algorithms 4 and 5, https://arxiv.org/abs/1804.04235.

    Args:
        learning_rate, clip_norm, no_decay, multipliers, skip_nonfinite, loss_scaling: see
            `FineTuningOptimizer`.
        decay: weight decay; at least 0.
        power: exponent of the decay rate of the second moment, b = 1 - t^-power; positive.
        epsilon_1: added to g²; positive.
        epsilon_2: lower bound of rms(w); positive.
        clip_threshold: largest root mean square of an update; positive.
        scale_parameter: whether the learning rate is relative to the size of the variable.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> Adafactor(learning_rate=1e-3, scale_parameter=False).power
    0.8
    """

    def __init__(
        self,
        learning_rate: Any = DEFAULT_RATE,
        *,
        clip_norm: float = 1.0,
        decay: float = 0.0,
        power: float = 0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        scale_parameter: bool = True,
        no_decay: str = NO_DECAY,
        multipliers: Sequence[tuple[str, float]] = (),
        skip_nonfinite: bool = False,
        loss_scaling: bool = False,
        name: str = "adafactor",
        **kwargs,
    ):
        bounds.positive(
            power=power, epsilon_1=epsilon_1, epsilon_2=epsilon_2, clip_threshold=clip_threshold
        )
        bounds.boolean(scale_parameter=scale_parameter)
        super().__init__(
            learning_rate=learning_rate,
            clip_norm=clip_norm,
            decay=decay,
            no_decay=no_decay,
            multipliers=multipliers,
            skip_nonfinite=skip_nonfinite,
            loss_scaling=loss_scaling,
            name=name,
            **kwargs,
        )
        self.power, self.epsilon_1, self.epsilon_2 = power, epsilon_1, epsilon_2
        self.clip_threshold, self.scale_parameter = clip_threshold, scale_parameter

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        self.moments = tuple(
            tuple(
                self.add_variable(shape, dtype=v.dtype, name=name)
                for name, shape in _moments(v.shape)
            )
            for v in variables
        )

    def step_scalars(self, t: Any) -> tuple:
        return (1 - t**-self.power,)

    def apply_decay(self, variable: Any, learning_rate: Any) -> None:
        """Do nothing yet: the step is relative to the variable before its decay."""
        return  # AutoGraph, which removes docstrings, needs a statement

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any, memory: Any) -> None:
        squared = tf.square(gradient) + self.epsilon_1
        moments = self.moments[self.variable_index(variable)]
        for moment, axis in zip(moments, (-1, -2), strict=False):
            new = tf.reduce_mean(squared, axis) if len(moments) == 2 else squared
            self.assign(moment, memory * moment + (1 - memory) * new)
        update = gradient * _inverse_root(*moments)
        update /= tf.maximum(1.0, _rms(update) / self.clip_threshold)
        scale = tf.maximum(self.epsilon_2, _rms(variable)) if self.scale_parameter else 1.0
        update *= learning_rate * scale
        super().apply_decay(variable, learning_rate)
        self.assign_sub(variable, update)

    def get_config(self):
        own = ("power", "epsilon_1", "epsilon_2", "clip_threshold", "scale_parameter")
        return {**super().get_config(), **{key: getattr(self, key) for key in own}}


def _moments(shape: tuple) -> list[tuple[str, tuple]]:
    if len(shape) < 2:
        return [("second", shape)]
    return [("row", shape[:-1]), ("column", (*shape[:-2], shape[-1]))]


def _inverse_root(first: Any, column: Any = None) -> Any:
    """Return 1 / sqrt of the second moment: a product of roots, since the moment may underflow."""
    if column is None:
        return tf.math.rsqrt(first)
    row = first / tf.reduce_mean(first, axis=-1, keepdims=True)
    return tf.math.rsqrt(row)[..., None] * tf.math.rsqrt(column)[..., None, :]


def _rms(x: Any) -> Any:
    return tf.sqrt(tf.reduce_mean(tf.square(x)))
