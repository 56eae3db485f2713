"""Adam."""

from collections.abc import Sequence
from typing import Any

import keras

from ftkeras.optimizers._base import DEFAULT_RATE, NO_DECAY
from ftkeras.optimizers.adamw import AdamW


@keras.saving.register_keras_serializable(package="ftkeras")
class Adam(AdamW):
    """Adam: `AdamW` without weight decay by default.

    w <- w - learning_rate m' / (sqrt(v') + epsilon)

    with the moments m' and v' of `AdamW`.

    Source: Kingma and Ba, 2015, algorithm 1, https://arxiv.org/abs/1412.6980.

    Args: those of `AdamW`.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> Adam(learning_rate=2e-5).decay
    0.0
    """

    def __init__(
        self,
        learning_rate: Any = DEFAULT_RATE,
        *,
        clip_norm: float = 1.0,
        decay: float = 0.0,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        bias_correction: bool = True,
        lazy: bool = False,
        no_decay: str = NO_DECAY,
        multipliers: Sequence[tuple[str, float]] = (),
        skip_nonfinite: bool = False,
        loss_scaling: bool = False,
        name: str = "adam",
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
            lazy=lazy,
            no_decay=no_decay,
            multipliers=multipliers,
            skip_nonfinite=skip_nonfinite,
            loss_scaling=loss_scaling,
            name=name,
            **kwargs,
        )
