"""The head that finds an answer in a context."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from ftkeras.heads._linear import Linear
from ftkeras.heads._texts import unpack
from ftkeras.support.absent import ABSENT_LOGIT

Tensor = Any


@keras.saving.register_keras_serializable(package="ftkeras")
class QuestionAnswering(Linear):
    """Score each token as the start and as the end of the answer.

    logits = dropout(state) · kernel + bias

    Source: Devlin et al., 2019, section 4.2, https://arxiv.org/abs/1810.04805.

    Args:
        dropout: dropout rate of each state in training; at least 0, below 1.
        seed: integer that determines the new kernel and the dropout, or None.
        name: the name of the layer.
        **kwargs: other arguments of `keras.layers.Layer`.

    Call: features, padding_mask [batch, length] -> logits [batch, length, 2], of the start and of
        the end; -10,000 where there is no token. Packed rows, which have "membership", give one row
        per text, [batch * texts, length, 2], that begins with the text.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> import numpy as np
    >>> head = QuestionAnswering(seed=1)
    >>> head({"sequence": np.zeros((3, 4, 8), "float32")}, np.ones((3, 4))).shape
    TensorShape([3, 4, 2])
    """

    needs_pooler, needs_every_token = False, True
    per_token, whole_texts = True, True
    feature = "sequence"

    def __init__(
        self,
        *,
        dropout: float = 0.0,
        seed: int | None = None,
        name: str = "head",
        **kwargs: Any,
    ):
        super().__init__(outputs=2, dropout=dropout, seed=seed, name=name, **kwargs)

    def call(
        self, features: Mapping[str, Tensor], padding_mask: Tensor, training: bool = False
    ) -> Tensor:
        logits, mask = super().call(features, padding_mask, training=training), padding_mask
        if "membership" in features:
            logits, mask = unpack(logits, features["membership"])
        mask = ops.cast(mask, "bool")[..., None]
        return ops.where(mask, logits, ops.cast(ABSENT_LOGIT, logits.dtype))

    def states(self, features: Mapping[str, Tensor], padding_mask: Tensor) -> Tensor:
        return features["sequence"]

    def get_config(self) -> dict[str, Any]:
        return {name: value for name, value in super().get_config().items() if name != "outputs"}
