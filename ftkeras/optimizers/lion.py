"""Lion."""

from collections.abc import Sequence
from typing import Any

import keras

from ftkeras.optimizers._base import DEFAULT_RATE, NO_DECAY, FineTuningOptimizer
from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class Lion(FineTuningOptimizer, keras.optimizers.Lion):
    """Update by the sign of the momentum, so that all steps have the same size.

    w <- w - learning_rate sign(beta_1 m + (1 - beta_1) g) - learning_rate decay w
    m <- beta_2 m + (1 - beta_2) g

    The authors recommend a learning rate 3 to 10 times smaller than AdamW's, and a decay larger by
    the same factor.

    Source: Chen et al., 2023, algorithm 2, https://arxiv.org/abs/2302.06675.

    Args:
        learning_rate, clip_norm, no_decay, multipliers, skip_nonfinite, loss_scaling: see
            `FineTuningOptimizer`.
        decay: weight decay; at least 0.
        beta_1: share of the momentum inside the sign; above 0, below 1.
        beta_2: decay rate of the momentum; at least 0, below 1.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> Lion(learning_rate=5e-6).decay
    0.1
    """

    rate_factor = 0.2

    def __init__(
        self,
        learning_rate: Any = DEFAULT_RATE,
        *,
        clip_norm: float = 1.0,
        decay: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        no_decay: str = NO_DECAY,
        multipliers: Sequence[tuple[str, float]] = (),
        skip_nonfinite: bool = False,
        loss_scaling: bool = False,
        name: str = "lion",
        **kwargs,
    ):
        bounds.share(beta_1=beta_1, beta_2=beta_2)
        bounds.positive(beta_1=beta_1)
        super().__init__(
            learning_rate=learning_rate,
            clip_norm=clip_norm,
            decay=decay,
            no_decay=no_decay,
            multipliers=multipliers,
            skip_nonfinite=skip_nonfinite,
            loss_scaling=loss_scaling,
            beta_1=beta_1,
            beta_2=beta_2,
            name=name,
            **kwargs,
        )
