"""Stochastic gradient descent."""

from collections.abc import Sequence
from typing import Any

import keras

from ftkeras.optimizers._base import DEFAULT_RATE, NO_DECAY, FineTuningOptimizer
from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class SGD(FineTuningOptimizer, keras.optimizers.SGD):
    """Stochastic gradient descent with momentum.

    u <- momentum u - learning_rate g
    w <- w + u                  or, with `nesterov`, w <- w + momentum u - learning_rate g

    The learning rate is inside u, so a gradient keeps the learning rate of its own step.

    Source: Sutskever et al., 2013, section 2, https://proceedings.mlr.press/v28/sutskever13.html.

    Args:
        learning_rate, clip_norm, no_decay, multipliers, skip_nonfinite, loss_scaling: see
            `FineTuningOptimizer`.
        decay: weight decay; at least 0.
        momentum: at least 0, below 1.
        nesterov: whether to use Nesterov momentum.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> SGD(learning_rate=0.01).momentum
    0.9
    """

    rate_factor = None

    def __init__(
        self,
        learning_rate: Any = DEFAULT_RATE,
        *,
        clip_norm: float = 1.0,
        decay: float = 0.0,
        momentum: float = 0.9,
        nesterov: bool = False,
        no_decay: str = NO_DECAY,
        multipliers: Sequence[tuple[str, float]] = (),
        skip_nonfinite: bool = False,
        loss_scaling: bool = False,
        name: str = "sgd",
        **kwargs,
    ):
        bounds.share(momentum=momentum)
        bounds.boolean(nesterov=nesterov)
        super().__init__(
            learning_rate=learning_rate,
            clip_norm=clip_norm,
            decay=decay,
            no_decay=no_decay,
            multipliers=multipliers,
            skip_nonfinite=skip_nonfinite,
            loss_scaling=loss_scaling,
            momentum=float(momentum),
            nesterov=nesterov,
            name=name,
            **kwargs,
        )
