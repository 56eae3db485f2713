"""The binary cross-entropy loss."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ftkeras.losses import _targets
from ftkeras.support import bounds

Tensor = Any


@keras.saving.register_keras_serializable(package="ftkeras")
class BinaryCrossEntropy(_targets.LossOfTargets):
    """Cross-entropy of sigmoid outputs, for several labels or for two classes.

    For several labels, 0 or 1 [batch, labels], it is the mean over the labels k of

        L_k = -(w_k t_k log y_k + (1 - t_k) log(1 - y_k)),     y_k = sigmoid(logits_k)

    where w_k is the label's `pos_weight`. For one of two classes, integer [batch], it is L with
    w = 1 and y = sigmoid(logits[1] - logits[0]), the softmax probability of class 1. It is computed
    as w t softplus(-z) + (1 - t) softplus(z), which stays finite.

    With `label_smoothing` s, t becomes (1 - s) t + s / 2.
    Source: Szegedy et al., 2016, section 7, https://arxiv.org/abs/1512.00567.

    Args:
        label_smoothing: share of the target that is spread over both answers; at least 0, below 1.
        classes: the run's number of classes if each example has one; 2, or None if unknown.
        pos_weight: weight of each label's positive examples, at least 0; None for 1.
        name: the name of the loss.

    Call: labels, 0 or 1 [batch, labels] with logits of that shape, or integer [batch] with logits
        [batch, 2] -> loss, float32 scalar (), the mean; NaN for a label that is not from 0 to 1,
        unless its sample weight is 0.

    Raises:
        ValueError: if there are not two classes, or an argument is out of bounds.

    >>> import numpy as np
    >>> loss = BinaryCrossEntropy()(np.array([1]), np.array([[0.0, 0.0]], "float32"))
    >>> print(f"{float(loss):.4f}")
    0.6931
    >>> labels, logits = np.array([[1, 0]]), np.array([[0.0, -2.0]], "float32")
    >>> print(f"{float(BinaryCrossEntropy()(labels, logits)):.4f}")
    0.4100
    """

    def __init__(
        self,
        *,
        label_smoothing: float = 0.0,
        classes: int | None = None,
        pos_weight: Sequence[float] | None = None,
        name: str = "binary_cross_entropy",
    ):
        if classes is not None:
            _must_be_two(classes)
        bounds.share(label_smoothing=label_smoothing)
        super().__init__(name=name, reduction="sum_over_batch_size")
        self.label_smoothing, self.classes = label_smoothing, classes
        self.pos_weight = _targets.weights_of_labels(pos_weight)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        y_true = _targets.numbers(_targets.classes(y_true, y_pred), y_pred)
        _targets.fit_labels(self.pos_weight, y_true, y_pred)
        logits, target = ops.cast(y_pred, "float32"), ops.cast(y_true, "float32")
        if self.label_smoothing:
            target = (1 - self.label_smoothing) * target + self.label_smoothing / 2
        if len(y_true.shape) < len(y_pred.shape):  # one of two classes
            _must_be_two(y_pred.shape[-1])
            z = logits[..., 1] - logits[..., 0]
            return _targets.nan_outside(ops.softplus(z) - target * z, y_true, 1)
        if self.pos_weight is None:
            losses = ops.softplus(logits) - target * logits
        else:
            weight = ops.convert_to_tensor(self.pos_weight, "float32")
            positive, negative = ops.softplus(-logits), ops.softplus(logits)
            losses = weight * target * positive + (1 - target) * negative
        return ops.mean(_targets.nan_outside(losses, y_true, 1), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {
            "label_smoothing": self.label_smoothing,
            "classes": self.classes,
            "pos_weight": self.pos_weight,
            "name": self.name,
        }


def _must_be_two(classes: int) -> None:
    if classes != 2:
        raise ValueError(
            f"`classes` must be 2; cross_entropy accepts any number. Received: {classes}."
        )
