"""The focal loss."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ftkeras.losses import _targets
from ftkeras.support import bounds

Tensor = Any


@keras.saving.register_keras_serializable(package="ftkeras")
class Focal(_targets.LossOfTargets):
    """Cross-entropy that gives less weight to examples that are already classified well.

    L = -(1 - p)^gamma log p,     p = softmax(logits)[label]

    For several labels, 0 or 1 [batch, labels], it is the mean over the labels of L, with
    p = sigmoid(logit) if the label is 1 and 1 - sigmoid(logit) if it is 0. Positive examples are
    weighted by `pos_weight`. For single labels, the paper's alpha is the run's option
    `class_weights`.
    Source: Lin et al., 2017, equation 4, https://arxiv.org/abs/1708.02002.

    Args:
        gamma: exponent; at least 0. 0 is cross-entropy; a larger gamma gives well-classified
            examples less weight.
        pos_weight: weight of each label's positive examples, at least 0; None for 1.
        name: the name of the loss.

    Call: labels, integer [batch] or 0 and 1 [batch, classes]; logits [batch, classes] -> loss,
        float32 scalar (), the mean; NaN for a label that is no class, or not from 0 to 1, unless
        its sample weight is 0.

    Raises:
        ValueError: if an argument is out of bounds.

    >>> import numpy as np
    >>> print(f"{float(Focal()(np.array([0]), np.array([[0.0, 0.0]], 'float32'))):.4f}")
    0.1733
    """

    def __init__(
        self,
        *,
        gamma: float = 2.0,
        pos_weight: Sequence[float] | None = None,
        name: str = "focal",
    ):
        bounds.not_negative(gamma=gamma)
        super().__init__(name=name, reduction="sum_over_batch_size")
        self.gamma = gamma
        self.pos_weight = _targets.weights_of_labels(pos_weight)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        logits = ops.cast(y_pred, "float32")
        y_true = _targets.numbers(_targets.classes(y_true, y_pred), y_pred)
        _targets.fit_labels(self.pos_weight, y_true, y_pred)
        if len(y_true.shape) == len(y_pred.shape):
            return self._of_labels(ops.cast(y_true, "float32"), logits)
        label, count = ops.cast(y_true, "int32"), ops.shape(logits)[-1]
        chosen = ops.one_hot(label, count, dtype="bool")
        log_p = ops.sum(ops.where(chosen, ops.log_softmax(logits, axis=-1), 0.0), axis=-1)
        # log(1 - p) from the other logits: if p rounds to 1, a power of 1 - p has no gradient.
        others = ops.logsumexp(ops.where(chosen, -1e30, logits), axis=-1)
        log_rest = others - ops.logsumexp(logits, axis=-1)
        return _targets.nan_outside(-ops.exp(self.gamma * log_rest) * log_p, label, count - 1)

    def _of_labels(self, target: Tensor, logits: Tensor) -> Tensor:
        """Return the mean over labels, each of which is a decision between 0 and 1, [batch]."""
        signed = (2 * target - 1) * logits
        losses = ops.exp(-self.gamma * ops.softplus(signed)) * ops.softplus(-signed)
        if self.pos_weight is not None:
            weight = ops.convert_to_tensor(self.pos_weight, "float32")
            losses = losses * (target * weight + (1 - target))
        return ops.mean(_targets.nan_outside(losses, target, 1), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {"gamma": self.gamma, "pos_weight": self.pos_weight, "name": self.name}
