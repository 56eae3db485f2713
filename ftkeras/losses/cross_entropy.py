"""The cross-entropy loss."""

from typing import Any

import keras
from keras import ops

from ftkeras.losses import _targets
from ftkeras.support import bounds

Tensor = Any


@keras.saving.register_keras_serializable(package="ftkeras")
class CrossEntropy(_targets.LossOfTargets):
    """Cross-entropy of integer labels and logits.

    L = -log softmax(logits)[label]

    With `label_smoothing` s and C classes, the target is 1 - s for the label plus s / C for every
    class. Source: Szegedy et al., 2016, section 7, https://arxiv.org/abs/1512.00567.

    Args:
        label_smoothing: share of the target that is spread over all classes; at least 0, below 1.
        name: the name of the loss.

    Call: labels, integer [batch]; logits [batch, classes] -> loss, float32 scalar (), the mean; NaN
        for a label that is no class, unless its sample weight is 0.

    Raises:
        ValueError: if the argument is out of bounds, or the labels are one-hot vectors.

    >>> import numpy as np
    >>> print(f"{float(CrossEntropy()(np.array([0]), np.array([[0.0, 0.0]], 'float32'))):.4f}")
    0.6931
    """

    def __init__(self, *, label_smoothing: float = 0.0, name: str = "cross_entropy"):
        bounds.share(label_smoothing=label_smoothing)
        super().__init__(name=name, reduction="sum_over_batch_size")
        self.label_smoothing = label_smoothing

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        y_true = ops.cast(_targets.classes(y_true, y_pred), "int32")
        if len(y_true.shape) >= len(y_pred.shape):
            raise ValueError(
                "the labels must be class numbers [batch]; of one-hot vectors, take "
                f"argmax(axis=-1). Received: shape {tuple(y_true.shape)} for logits of "
                f"{tuple(y_pred.shape)}."
            )
        log_probabilities = ops.log_softmax(ops.cast(y_pred, "float32"), axis=-1)
        count, s = ops.shape(y_pred)[-1], self.label_smoothing
        target = ops.one_hot(y_true, count, dtype="float32")
        picked = ops.sum(target * log_probabilities, axis=-1)
        picked = _targets.nan_outside(picked, y_true, count - 1)
        if s == 0:
            return -picked
        return -(1 - s) * picked - s * ops.mean(log_probabilities, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {"label_smoothing": self.label_smoothing, "name": self.name}
