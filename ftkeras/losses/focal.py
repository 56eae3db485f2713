"""The focal loss."""

from typing import Any

import keras
from keras import ops

from ftkeras.support import bounds

Tensor = Any


@keras.saving.register_keras_serializable(package="ftkeras")
class Focal(keras.losses.Loss):
    """Cross-entropy that gives well-classified examples less weight.

    L = -(1 - p)^gamma log p,     p = softmax(logits)[label]

    It has no class weights (the paper's alpha); the run has an option for them.
    Source: Lin et al., 2017, equation 4, https://arxiv.org/abs/1708.02002.

    Args:
        gamma: exponent, larger for less weight; at least 0, where 0 is cross-entropy.
        name: of the loss.

    Call: labels, integer [batch]; logits [batch, classes] -> loss, float32 scalar (), the mean.

    Raises:
        ValueError: the argument is out of bounds.

    >>> import numpy as np
    >>> print(f"{float(Focal()(np.array([0]), np.array([[0.0, 0.0]], 'float32'))):.4f}")
    0.1733
    """

    def __init__(self, *, gamma: float = 2.0, name: str = "focal"):
        bounds.not_negative(gamma=gamma)
        super().__init__(name=name, reduction="sum_over_batch_size")
        self.gamma = gamma

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        logits = ops.cast(y_pred, "float32")
        chosen = ops.one_hot(ops.cast(y_true, "int32"), ops.shape(logits)[-1], dtype="bool")
        log_p = ops.sum(ops.where(chosen, ops.log_softmax(logits, axis=-1), 0.0), axis=-1)
        # log(1 - p) from the other logits: if p rounds to 1, a power of 1 - p has no gradient.
        others = ops.logsumexp(ops.where(chosen, -1e30, logits), axis=-1)
        log_rest = others - ops.logsumexp(logits, axis=-1)
        return -ops.exp(self.gamma * log_rest) * log_p

    def get_config(self) -> dict[str, Any]:
        return {"gamma": self.gamma, "name": self.name}
