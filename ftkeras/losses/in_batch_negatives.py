"""The multiple negatives ranking loss."""

from typing import Any

import keras
from keras import ops

from ftkeras.support import bounds
from ftkeras.support.vector_pairs import halves

Tensor = Any
# The score of a row of padding: far below that of any text.
ABSENT = -1e9


@keras.saving.register_keras_serializable(package="ftkeras")
class InBatchNegatives(keras.losses.Loss):
    """Cross-entropy of finding the partner of each text among the second texts of the batch.

    L_i = -log exp(s u_i · v_i) / Σ_j exp(s u_i · v_j)

    u and v are the vectors of the first and second texts, of length 1, and s is `scale`. The second
    texts of all other pairs in the batch count as wrong answers. So larger batches are harder, and
    texts that fit several partners in a batch are pushed apart. The batch is that of one replica
    and one micro-batch: more replicas or accumulation add no negatives.
    Source: Henderson et al., 2017, section 4.4, https://arxiv.org/abs/1705.00652; it is
    sentence-transformers' MultipleNegativesRankingLoss.

    Args:
        scale: factor of the cosines; positive.
        name: the name of the loss.

    Call: answers [batch], which are not read; the vectors of both texts, [batch, 2 * size] -> loss,
        float32 scalar (), the mean. Vectors that are 0 are those of padding.

    Raises:
        ValueError: if the argument is out of bounds.

    >>> import numpy as np
    >>> vectors = np.array([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]], "float32")
    >>> print(f"{float(InBatchNegatives(scale=1)(np.zeros(2), vectors)):.4f}")
    0.3133
    """

    # The loss of an example depends on the others in its batch.
    between_examples = True

    def __init__(self, *, scale: float = 20.0, name: str = "in_batch_negatives"):
        bounds.positive(scale=scale)
        super().__init__(name=name, reduction="sum_over_batch_size")
        self.scale = scale

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        first, second = halves(ops.cast(y_pred, "float32"))
        scores = self.scale * ops.matmul(first, ops.transpose(second))
        is_text = ops.any(ops.not_equal(second, 0), axis=-1)
        scores = ops.where(is_text[None], scores, ABSENT)
        right = self.scale * ops.sum(first * second, axis=-1)
        return ops.logsumexp(scores, axis=-1) - right

    def get_config(self) -> dict[str, Any]:
        return {"scale": self.scale, "name": self.name}
