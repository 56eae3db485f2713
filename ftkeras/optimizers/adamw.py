"""AdamW."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ftkeras.optimizers._base import DEFAULT_RATE, NO_DECAY, FineTuningOptimizer
from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class AdamW(FineTuningOptimizer):
    """Adam with decoupled weight decay.

    m <- beta_1 m + (1 - beta_1) g
    v <- beta_2 v + (1 - beta_2) g²
    w <- w - learning_rate decay w - learning_rate m' / (sqrt(v') + epsilon)

    with m' = m / (1 - beta_1^t) and v' = v / (1 - beta_2^t), t from 1. LayerNorm and biases do not
    decay. `bias_correction=False` uses m and v as they are, like Devlin et al.'s code. Mosbach et
    al. (2021, https://arxiv.org/abs/2006.04884) found this to be one cause of failed runs.

    Sources: Kingma and Ba, 2015, algorithm 1, https://arxiv.org/abs/1412.6980; Loshchilov and
    Hutter, 2019, algorithm 2, https://arxiv.org/abs/1711.05101.

    Args:
        learning_rate, clip_norm, no_decay, multipliers, skip_nonfinite, loss_scaling: see
            `FineTuningOptimizer`.
        decay: weight decay; at least 0.
        beta_1, beta_2: decay rates of the moments; at least 0, below 1.
        epsilon: added to the root of the second moment; positive.
        bias_correction: whether to correct the moments for their start at zero.
        lazy: whether to skip the rows of an embedding that a step does not look up: they are not
            updated, and neither they nor their moments decay. This saves time if batches are small,
            because a step does not update the whole vocabulary. The result is close to AdamW's, but
            not equal. It can't be combined with Keras's `gradient_accumulation_steps`.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer=AdamW(learning_rate=2e-5), loss="mse")
    """

    def __init__(
        self,
        learning_rate: Any = DEFAULT_RATE,
        *,
        clip_norm: float = 1.0,
        decay: float = 0.01,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        bias_correction: bool = True,
        lazy: bool = False,
        no_decay: str = NO_DECAY,
        multipliers: Sequence[tuple[str, float]] = (),
        skip_nonfinite: bool = False,
        loss_scaling: bool = False,
        name: str = "adamw",
        **kwargs,
    ):
        bounds.share(beta_1=beta_1, beta_2=beta_2)
        bounds.positive(epsilon=epsilon)
        bounds.boolean(lazy=lazy, bias_correction=bias_correction)
        if lazy and kwargs.get("gradient_accumulation_steps"):
            raise ValueError(
                "`lazy` can't be combined with `gradient_accumulation_steps`, because Keras adds "
                "up the gradients of whole variables; use one of them. Received: "
                f"gradient_accumulation_steps={kwargs['gradient_accumulation_steps']}."
            )
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
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.bias_correction, self.lazy = bias_correction, lazy
        self.updates_rows = lazy

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        self.first, self.second = self.add_optimizer_variables(variables, ["first", "second"])

    def step_scalars(self, t: Any) -> tuple:
        corrected = 1.0 if self.bias_correction else 0.0
        power_1, power_2 = corrected * self.beta_1**t, corrected * self.beta_2**t
        # The kernel adds its epsilon to sqrt(v), not to sqrt(v'), so scale it accordingly.
        return power_1, power_2, self.epsilon * tf.sqrt(1 - power_2)

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
        # One fused kernel per variable, instead of about twenty ops to trace and run.
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self.first[index].value.handle,
            v=self.second[index].value.handle,
            beta1_power=tf.cast(power_1, variable.dtype),
            beta2_power=tf.cast(power_2, variable.dtype),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=tf.cast(self.beta_1, variable.dtype),
            beta2=tf.cast(self.beta_2, variable.dtype),
            epsilon=tf.cast(epsilon, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
        )

    def update_rows(
        self,
        gradient: Any,
        variable: Any,
        learning_rate: Any,
        power_1: Any,
        power_2: Any,
        epsilon: Any,
    ) -> None:
        index, rows = self.variable_index(variable), gradient.indices
        values = tf.cast(gradient.values, variable.dtype)

        def updated(moment, beta, addend):
            value = beta * tf.gather(moment, rows) + (1 - beta) * addend
            moment.scatter_update(tf.IndexedSlices(value, rows))
            return value

        first = updated(self.first[index].value, self.beta_1, values)
        second = updated(self.second[index].value, self.beta_2, tf.square(values))
        corrected = learning_rate * tf.sqrt(1 - power_2) / (1 - power_1)
        shrunk = 1 - learning_rate * self.decay if self.decays[index] else 1.0
        step = corrected * first / (tf.sqrt(second) + epsilon)
        variable.scatter_update(tf.IndexedSlices(shrunk * tf.gather(variable, rows) - step, rows))

    def get_config(self):
        own = ("beta_1", "beta_2", "epsilon", "bias_correction", "lazy")
        return {**super().get_config(), **{key: getattr(self, key) for key in own}}
