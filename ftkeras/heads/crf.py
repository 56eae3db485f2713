"""The head that answers the words of a text together."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras

from ftkeras.heads._texts import unpack
from ftkeras.heads.token_classification import TokenClassification
from ftkeras.support import bounds

Tensor = Any
_OF_SINGLE_ANSWERS = ("r_drop", "smart", "confidence_penalty", "distill")
_ALONE = "it compares the answers to single words, but a chain answers all words of a text together"


@keras.saving.register_keras_serializable(package="ftkeras")
class Crf(TokenClassification):
    """A conditional random field: a dense layer on each token, and scores of consecutive tags.

    score(y) = Σ_t z_t[y_t] + Σ_t A[y_(t-1), y_t],     z = dropout(state) · kernel + bias

    The sums are over the words of a text. A has the scores of transitions between tags, to the
    first tag, and from the last tag. They start from zeros. The loss is `crf`. The answer is the
    sequence with the largest score among those that the scheme allows.
    Source: Lample et al., 2016, section 2.2, https://arxiv.org/abs/1603.01360.

    Args:
        classes: number of tags; at least 2.
        dropout: dropout rate of each state in training; at least 0, below 1.
        multiplier: factor of the learning rate of the transitions; positive. It is large because
            they start from zeros.
        seed: integer that determines the new kernel and the dropout, or None.
        name: the name of the layer.
        **kwargs: other arguments of `keras.layers.Layer`.

    Call: features, padding_mask [batch, length] -> z, [batch, length, classes]. Packed rows, which
        have "membership", give one row per text, [batch * texts, length, classes], that begins with
        the text.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> import numpy as np
    >>> head = Crf(classes=5, seed=1)
    >>> head({"sequence": np.zeros((3, 4, 8), "float32")}, np.ones((3, 4))).shape
    TensorShape([3, 4, 5])
    >>> tuple(head.transitions.shape)
    (6, 6)
    """

    whole_texts = True
    losses = ("crf",)
    regularizers: ClassVar = dict.fromkeys(_OF_SINGLE_ANSWERS, _ALONE)
    own_part = "a conditional random field"

    def __init__(
        self,
        *,
        classes: int,
        dropout: float = 0.1,
        multiplier: float = 100.0,
        seed: int | None = None,
        name: str = "head",
        **kwargs: Any,
    ):
        bounds.positive(multiplier=multiplier)
        super().__init__(classes=classes, dropout=dropout, seed=seed, name=name, **kwargs)
        self.multiplier = multiplier

    @property
    def multipliers(self) -> Sequence[tuple[str, float]]:
        """The pattern of the transitions' path, and the factor on their learning rate."""
        return ((f"{self.transitions.path}$", self.multiplier),)

    def build(self, features_shape: Mapping[str, tuple], padding_mask_shape: Any = None) -> None:
        super().build(features_shape, padding_mask_shape)
        size = self.classes + 1
        self.transitions = self.add_weight(
            shape=(size, size), initializer="zeros", name="transitions"
        )

    def call(
        self, features: Mapping[str, Tensor], padding_mask: Tensor, training: bool = False
    ) -> Tensor:
        logits = super().call(features, padding_mask, training=training)
        if "membership" not in features:
            return logits
        return unpack(logits, features["membership"])[0]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "multiplier": self.multiplier}
