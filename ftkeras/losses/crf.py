"""The loss of a chain of tags."""

from typing import Any

import keras
from keras import ops

from ftkeras.losses import _targets
from ftkeras.support import chain

Tensor = Any


@keras.saving.register_keras_serializable(package="ftkeras", name="CrfLoss")
class Crf(keras.losses.Loss):
    """Negative log-likelihood of all tags of a text together, per word.

    L = -(score(y) - log Σ_y' exp score(y')) / n,     score(y) = Σ_t z_t[y_t] + Σ_t A[y_(t-1), y_t]

    This is the loss of the head `crf`. n is the number of words and z are their logits. A has the
    transitions between the tags of consecutive words, to the first tag, and from the last tag. The
    sum over y' is over all sequences of tags. A run's mean is over the words of a batch: the sum
    over its texts, divided by the number of words. Keras's own mean is over all places.
    Source: Lample et al., 2016, section 2.2, https://arxiv.org/abs/1603.01360.

    Args:
        transitions: those of the head, [tags + 1, tags + 1]; see `ftkeras.support.chain`. A saved
            loss does not have them.
        name: the name of the loss.

    Call: tags, integer [texts, length], below 0 where no word begins; logits [texts, length, tags]
        -> loss, float32 scalar (), the mean over all places; 0 where no word begins, NaN
        for a text with a tag that is no class.

    Raises:
        ValueError: if it is called without transitions.

    >>> import numpy as np
    >>> loss = Crf(transitions=np.zeros((4, 4), "float32"))
    >>> losses = loss.call(np.array([[-1, 2, 0]]), np.zeros((1, 3, 3), "float32"))
    >>> losses.numpy().round(4).tolist()  # -log of a third
    [[0.0, 1.0986000299453735, 1.0986000299453735]]
    """

    def __init__(self, *, transitions: Any = None, name: str = "crf"):
        super().__init__(name=name, reduction="sum_over_batch_size")
        self.transitions = transitions

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        if self.transitions is None:
            raise ValueError(
                "`transitions` must be those of the head, which no file saves with the loss: make "
                "it anew by Crf(transitions=…). Received: None."
            )
        tags, length = ops.cast(y_true, "int32"), ops.shape(y_pred)[1]
        is_word = tags >= 0
        # It does not change the probabilities, and keeps sums small.
        scores = ops.log_softmax(ops.cast(y_pred, "float32"), axis=-1)
        # Words first, so that those that follow each other are neighbors.
        place = ops.arange(length, dtype="int32")
        order = ops.argsort(ops.where(is_word, place, place + length), axis=1)
        tags = ops.take_along_axis(tags, order, axis=1)
        columns = ops.repeat(order[..., None], y_pred.shape[-1], axis=-1)
        scores = ops.take_along_axis(scores, columns, axis=1)
        counts = ops.sum(ops.cast(is_word, "int32"), axis=1)
        transitions = ops.convert_to_tensor(self.transitions)
        losses = chain.negative_log_likelihood(scores, tags, counts, transitions)
        each = losses / ops.cast(ops.maximum(counts, 1), "float32")
        highest = ops.max(ops.where(is_word, tags, 0), axis=1)
        each = _targets.nan_outside(each, highest, y_pred.shape[-1] - 1)
        return ops.where(is_word, each[:, None], 0.0)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}
