"""Muon."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ftkeras.optimizers._base import DEFAULT_RATE, NO_DECAY, FineTuningOptimizer
from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class Muon(FineTuningOptimizer, keras.optimizers.Muon):
    """Update hidden matrices by orthogonalized momentum, and all other variables by Adam.

    m <- momentum m + g
    w <- w - learning_rate rms_rate sqrt(max(rows, columns)) O(g + momentum m)  (else: O(m))

    O(m) is used without `nesterov`. O brings the singular values of a matrix near 1: it divides by
    the Frobenius norm (plus 1e-7), then repeats `ns_steps` times, on the wide side,
    X <- 3.4445 X - 4.775 (X Xᵀ) X + 2.0315 (X Xᵀ)² X.

    Adam updates vectors, and matrices whose path `adam_where` matches. Its epsilon is added to the
    uncorrected sqrt(v).

    Sources: Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/; the factor with which
    it can use AdamW's learning rate and decay: Liu et al., 2025, equation 4,
    https://arxiv.org/abs/2502.16982.

    Args:
        learning_rate, clip_norm, no_decay, multipliers, skip_nonfinite, loss_scaling: see
            `FineTuningOptimizer`.
        decay: weight decay; at least 0.
        momentum: at least 0, below 1.
        nesterov: whether to add the gradient to the momentum before O.
        ns_steps: number of repetitions in O; an integer of at least 1.
        rms_rate: root mean square of a matrix's step at learning rate 1; positive.
        adam_beta_1, adam_beta_2: decay rates of Adam's moments; at least 0, below 1.
        epsilon: epsilon of Adam; positive.
        adam_where: regular expression on the paths of matrices that Adam updates; empty for none.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> Muon(learning_rate=2e-5).adam_where
    'embedding|head/'
    """

    def __init__(
        self,
        learning_rate: Any = DEFAULT_RATE,
        *,
        clip_norm: float = 1.0,
        decay: float = 0.01,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_steps: int = 5,
        rms_rate: float = 0.2,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        epsilon: float = 1e-7,
        adam_where: str = r"embedding|head/",
        no_decay: str = NO_DECAY,
        multipliers: Sequence[tuple[str, float]] = (),
        skip_nonfinite: bool = False,
        loss_scaling: bool = False,
        name: str = "muon",
        **kwargs,
    ):
        bounds.share(momentum=momentum, adam_beta_1=adam_beta_1, adam_beta_2=adam_beta_2)
        bounds.positive(rms_rate=rms_rate, epsilon=epsilon)
        bounds.integer(1, ns_steps=ns_steps)
        bounds.boolean(nesterov=nesterov)
        bounds.regular_expression(adam_where=adam_where)
        super().__init__(
            learning_rate=learning_rate,
            clip_norm=clip_norm,
            decay=decay,
            no_decay=no_decay,
            multipliers=multipliers,
            skip_nonfinite=skip_nonfinite,
            loss_scaling=loss_scaling,
            momentum=momentum,
            nesterov=nesterov,
            ns_steps=ns_steps,
            rms_rate=rms_rate,
            adam_beta_1=adam_beta_1,
            adam_beta_2=adam_beta_2,
            epsilon=epsilon,
            exclude_layers=[adam_where] if adam_where else [],  # "" would match all
            exclude_embeddings=False,  # `adam_where` chooses by path
            adam_weight_decay=None,
            name=name,
            **kwargs,
        )
        self.adam_where = adam_where

    def step_scalars(self, t: Any) -> tuple:
        return self.adam_beta_1**t, self.adam_beta_2**t

    def update_step(
        self, gradient: Any, variable: Any, learning_rate: Any, power_1: Any, power_2: Any
    ) -> None:
        index = self.variable_index(variable)
        first, second = self.momentums[index], self.adam_velocities[index]
        if second is None:
            super().update_step(gradient, variable, learning_rate)
            return
        # Keras's own Adam corrects by all updates of the run, of which this variable may have seen
        # fewer: some were skipped, or it is trained later than others.
        rate = learning_rate * self.adam_lr_ratio * tf.sqrt(1 - power_2) / (1 - power_1)
        self.assign_add(first, (gradient - first) * (1 - self.adam_beta_1))
        self.assign_add(second, (tf.square(gradient) - second) * (1 - self.adam_beta_2))
        self.assign_sub(variable, rate * first / (tf.sqrt(second) + self.epsilon))

    def lr_adjust(self, x: Any) -> Any:
        """Return a matrix's step at learning rate 1; Keras's own fails if it is float64."""
        return x * math.sqrt(max(x.shape[:2])) * self.rms_rate

    def get_config(self):
        inherited = super().get_config()
        replaced = ("exclude_layers", "exclude_embeddings", "adam_weight_decay")
        others = {key: value for key, value in inherited.items() if key not in replaced}
        return {**others, "adam_where": self.adam_where}
