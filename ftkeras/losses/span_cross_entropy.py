"""The cross-entropy loss of the start and the end of a span."""

from typing import Any

import keras
from keras import ops

from ftkeras.losses import _targets
from ftkeras.support import bounds
from ftkeras.support.absent import LEAST_LOGIT

Tensor = Any


@keras.saving.register_keras_serializable(package="ftkeras")
class SpanCrossEntropy(_targets.LossOfTargets):
    """Mean cross-entropy of the start and the end of a span, over the tokens of a text.

    L = -(log softmax(z_start)[start] + log softmax(z_end)[end]) / 2

    With `label_smoothing` s, the target is 1 - s at the token, and s is spread over all tokens
    except padding.
    Source: Devlin et al., 2019, section 4.2, https://arxiv.org/abs/1810.04805.

    Args:
        label_smoothing: share of the target that is spread over all tokens; at least 0, below 1.
        name: the name of the loss.

    Call: numbers of the first and the last token, integer [batch, 2]; logits [batch, length, 2] ->
        loss, float32 scalar (), the mean; NaN for a number that is no token's, unless the sample
        weight is 0.

    Raises:
        ValueError: if the argument is out of bounds.

    >>> import numpy as np
    >>> logits = np.zeros((1, 4, 2), "float32")
    >>> print(f"{float(SpanCrossEntropy()(np.array([[1, 2]]), logits)):.4f}")
    1.3863
    """

    def __init__(self, *, label_smoothing: float = 0.0, name: str = "span_cross_entropy"):
        bounds.share(label_smoothing=label_smoothing)
        super().__init__(name=name, reduction="sum_over_batch_size")
        self.label_smoothing = label_smoothing

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        logits = ops.cast(y_pred, "float32")
        log_p = ops.log_softmax(logits, axis=1)
        token, length = ops.cast(y_true, "int32"), ops.shape(y_pred)[1]
        target = ops.cast(ops.one_hot(token, length, axis=1), "float32")
        picked = _targets.nan_outside(ops.sum(target * log_p, axis=1), token, length - 1)
        if s := self.label_smoothing:
            is_token = ops.cast(logits > LEAST_LOGIT, "float32")
            mean = ops.sum(is_token * log_p, axis=1) / ops.sum(is_token, axis=1)
            picked = (1 - s) * picked + s * mean
        return -ops.mean(picked, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {"label_smoothing": self.label_smoothing, "name": self.name}
