"""RMSprop."""

from collections.abc import Sequence
from typing import Any

import keras

from ftkeras.optimizers._base import DEFAULT_RATE, NO_DECAY, FineTuningOptimizer
from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class RMSprop(FineTuningOptimizer, keras.optimizers.RMSprop):
    """Divide gradients by the root of their running mean square.

    v <- rho v + (1 - rho) g²
    u <- momentum u + learning_rate g / sqrt(v + epsilon)
    w <- w - u

    With `centered`, the square of the running mean gradient is subtracted from v under the root.

    Sources: Tieleman and Hinton, 2012, lecture 6e,
    https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf; centered: Graves,
    2013, equations 38 to 41, https://arxiv.org/abs/1308.0850.

    Args:
        learning_rate, clip_norm, no_decay, multipliers, skip_nonfinite, loss_scaling: see
            `FineTuningOptimizer`.
        decay: weight decay; at least 0.
        rho: decay rate of the mean square; at least 0, below 1.
        momentum: at least 0, below 1.
        epsilon: added to the mean square; positive.
        centered: whether to divide by the standard deviation instead of the root mean square.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> RMSprop(learning_rate=1e-4).rho
    0.9
    """

    def __init__(
        self,
        learning_rate: Any = DEFAULT_RATE,
        *,
        clip_norm: float = 1.0,
        decay: float = 0.0,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        no_decay: str = NO_DECAY,
        multipliers: Sequence[tuple[str, float]] = (),
        skip_nonfinite: bool = False,
        loss_scaling: bool = False,
        name: str = "rmsprop",
        **kwargs,
    ):
        bounds.share(rho=rho, momentum=momentum)
        bounds.positive(epsilon=epsilon)
        bounds.boolean(centered=centered)
        super().__init__(
            learning_rate=learning_rate,
            clip_norm=clip_norm,
            decay=decay,
            no_decay=no_decay,
            multipliers=multipliers,
            skip_nonfinite=skip_nonfinite,
            loss_scaling=loss_scaling,
            rho=rho,
            momentum=momentum,
            epsilon=epsilon,
            centered=centered,
            name=name,
            **kwargs,
        )
