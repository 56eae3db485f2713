"""The squared error of cosine similarities."""

from typing import Any

import keras
from keras import ops

from ftkeras.losses import _targets
from ftkeras.support.vector_pairs import halves

Tensor = Any


@keras.saving.register_keras_serializable(package="ftkeras")
class CosineRegression(_targets.LossOfTargets):
    """Squared error of the cosine similarity of two texts.

    L = (u · v - t)²

    u and v are the vectors of the two texts, of length 1. t is their similarity, from 0 to 1.
    Source: Reimers and Gurevych, 2019, section 3, https://arxiv.org/abs/1908.10084; it is
    sentence-transformers' CosineSimilarityLoss.

    Args:
        name: the name of the loss.

    Call: similarities, float [batch]; the vectors of both texts, [batch, 2 * size] -> loss, float32
        scalar (), the mean. Similarities whose sample weight is 0 may be NaN.

    >>> import numpy as np
    >>> vectors = np.array([[1.0, 0.0, 0.6, 0.8]], "float32")
    >>> print(f"{float(CosineRegression()(np.array([0.5]), vectors)):.2f}")
    0.01
    """

    def __init__(self, *, name: str = "cosine_regression"):
        super().__init__(name=name, reduction="sum_over_batch_size")

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        y_true = _targets.classes(y_true, y_pred)
        first, second = halves(ops.cast(y_pred, "float32"))
        return ops.square(ops.sum(first * second, axis=-1) - ops.cast(y_true, "float32"))

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}
