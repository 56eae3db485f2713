from collections.abc import Sequence

import keras
import tensorflow as tf

from ftkeras.optimizers._base import NO_DECAY, FineTuningOptimizer
from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class Adafactor(FineTuningOptimizer):
    """Adam's second moment kept as its row and column means: memory of rows + columns a matrix.

    r <- b r + (1 - b) mean over columns of (g² + epsilon_1)          b = 1 - t^-power, t from 1
    c <- b c + (1 - b) mean over rows of (g² + epsilon_1)
    u = g / sqrt(r c / mean(r))            (a vector: u = g / sqrt(v), v as r, without a mean)
    w <- w - rate max(epsilon_2, rms(w)) u / max(1, rms(u) / clip_threshold)

    The paper's own rate is min(0.01, 1 / sqrt(t)): one relative to the size of the weights, far
    above AdamW's. `scale_parameter=False` leaves max(epsilon_2, rms(w)) out, for rates like
    AdamW's. rms(w) is that before the step's decay. Keras's own keeps all of r c / mean(r)
    besides, and divides 0 by 0 where a row and a column have no gradient.
    Source: Shazeer and Stern, 2018, algorithms 4 and 5, https://arxiv.org/abs/1804.04235.

    Args:
        learning_rate, clip_norm, no_decay, multipliers: as in `FineTuningOptimizer`.
        decay: weight decay; at least 0.
        power: how fast the second moment's memory grows; positive.
        epsilon_1: added to g²; positive.
        epsilon_2: least size of a variable; positive.
        clip_threshold: root mean square that an update is cut to; positive.
        scale_parameter: whether the rate is relative to the size of the variable.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    def __init__(
        self,
        *,
        learning_rate,
        clip_norm: float = 1.0,
        decay: float = 0.0,
        power: float = 0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        scale_parameter: bool = True,
        no_decay: str = NO_DECAY,
        multipliers: Sequence[tuple[str, float]] = (),
        name: str = "adafactor",
        **kwargs,
    ):
        bounds.positive(
            power=power, epsilon_1=epsilon_1, epsilon_2=epsilon_2, clip_threshold=clip_threshold
        )
        super().__init__(
            learning_rate=learning_rate,
            clip_norm=clip_norm,
            decay=decay,
            no_decay=no_decay,
            multipliers=multipliers,
            name=name,
            **kwargs,
        )
        self.power, self.epsilon_1, self.epsilon_2 = power, epsilon_1, epsilon_2
        self.clip_threshold, self.scale_parameter = clip_threshold, scale_parameter

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.moments = tuple(
            tuple(self.add_variable(shape, name=name) for name, shape in _moments(v.shape))
            for v in variables
        )

    def scalars(self, t):
        return (1 - t**-self.power,)

    def shrink(self, variable, learning_rate):
        """Nothing yet: the step is relative to the variable before it decays."""

    def update_step(self, gradient, variable, learning_rate, kept):
        squared = tf.square(gradient) + self.epsilon_1
        moments = self.moments[self._get_variable_index(variable)]
        for moment, axis in zip(moments, (-1, -2), strict=False):
            seen = tf.reduce_mean(squared, axis) if len(moments) == 2 else squared
            self.assign(moment, kept * moment + (1 - kept) * seen)
        update = gradient * _inverse_root(*moments)
        update /= tf.maximum(1.0, _rms(update) / self.clip_threshold)
        scale = tf.maximum(self.epsilon_2, _rms(variable)) if self.scale_parameter else 1.0
        update *= learning_rate * scale
        super().shrink(variable, learning_rate)
        self.assign_sub(variable, update)

    def get_config(self):
        own = ("power", "epsilon_1", "epsilon_2", "clip_threshold", "scale_parameter")
        return {**super().get_config(), **{key: getattr(self, key) for key in own}}


def _moments(shape):
    if len(shape) < 2:
        return [("second", shape)]
    return [("row", shape[:-1]), ("column", (*shape[:-2], shape[-1]))]


def _inverse_root(first, column=None):
    """1 / sqrt of the second moment; each factor's own root, for their product may underflow."""
    if column is None:
        return tf.math.rsqrt(first)
    row = first / tf.reduce_mean(first, axis=-1, keepdims=True)
    return tf.math.rsqrt(row)[..., None] * tf.math.rsqrt(column)[..., None, :]


def _rms(x):
    return tf.sqrt(tf.reduce_mean(tf.square(x)))
