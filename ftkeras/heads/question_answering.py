"""The head that finds an answer in a context."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from ftkeras.heads._linear import Linear

Tensor = Any
# The logit of what is no token of the text: its probability is 0 in every precision.
NOT_A_TOKEN = -1e4


@keras.saving.register_keras_serializable(package="ftkeras")
class QuestionAnswering(Linear):
    """Score each token as the start and as the end of the answer.

    logits = dropout(state) · kernel + bias

    Source: Devlin et al., 2019, section 4.2, https://arxiv.org/abs/1810.04805.

    Args:
        dropout: share of each state dropped in training; at least 0, below 1.
        seed: integer that determines the new kernel and the dropout, or None.
        name: of the layer.
        **kwargs: of `keras.layers.Layer`.

    Call: features, padding_mask [batch, length] -> logits [batch, length, 2], of the start and of
        the end; -10,000 where there is no token. Packed rows, which have "membership", give a row
        for each text, [batch * texts, length, 2], that begins with the text.

    Raises:
        ValueError: an argument is out of bounds; names it, the bound and the value.

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
            logits, mask = _unpack(logits, features["membership"])
        mask = ops.cast(mask, "bool")[..., None]
        return ops.where(mask, logits, ops.cast(NOT_A_TOKEN, logits.dtype))

    def states(self, features: Mapping[str, Tensor], padding_mask: Tensor) -> Tensor:
        return features["sequence"]

    def get_config(self) -> dict[str, Any]:
        return {name: value for name, value in super().get_config().items() if name != "outputs"}


def _unpack(logits: Tensor, membership: Tensor) -> tuple[Tensor, Tensor]:
    """Return the logits and the mask of each text of packed rows, from its first token on.

    Args:
        logits: [batch, length, 2].
        membership: [batch, texts, length], true for the tokens of a text.

    Returns:
        [batch * texts, length, 2] and [batch * texts, length].
    """
    batch, texts, length = ops.shape(membership)
    members = ops.cast(membership, "int32")
    place = ops.arange(length) + ops.argmax(members, axis=-1)[..., None]
    place = ops.reshape(ops.minimum(place, length - 1), (batch, texts * length, 1))
    counts = ops.sum(members, axis=-1, keepdims=True)
    unpacked = ops.take_along_axis(logits, ops.repeat(place, 2, axis=-1), axis=1)
    return (
        ops.reshape(unpacked, (batch * texts, length, 2)),
        ops.reshape(ops.arange(length) < counts, (batch * texts, length)),
    )
