"""A dense layer on a vector that represents the text: what heads with one answer a text share."""

from collections.abc import Mapping
from typing import Any

from ftkeras.heads._linear import Linear
from ftkeras.heads._pooling import mean_of_tokens
from ftkeras.support import bounds

Tensor = Any
POOLINGS = ("pooled", "cls", "mean")


class Dense(Linear):
    """Dropout and one dense layer on the text's vector.

    Args:
        outputs: size of the layer; at least 1.
        dropout: dropout rate of the vector in training; at least 0, below 1.
        pooling: pooled, cls or mean.
        seed: integer that determines the new kernel and the dropout, or None.
        name: the name of the layer.
        **kwargs: other arguments of `keras.layers.Layer`.
    """

    def __init__(
        self,
        *,
        outputs: int,
        dropout: float = 0.1,
        pooling: str = "pooled",
        seed: int | None = None,
        name: str = "head",
        **kwargs: Any,
    ):
        bounds.integer(1, outputs=outputs)
        bounds.choice(POOLINGS, pooling=pooling)
        super().__init__(outputs=outputs, dropout=dropout, seed=seed, name=name, **kwargs)
        self.pooling = pooling

    @property
    def needs_pooler(self) -> bool:
        """True if the encoder must have its pooler."""
        return self.pooling == "pooled"

    @property
    def needs_every_token(self) -> bool:
        """True if it reads the states of all tokens, not only of a text's first."""
        return self.pooling == "mean"

    def states(self, features: Mapping[str, Tensor], padding_mask: Tensor) -> Tensor:
        if self.needs_pooler:
            return features["pooled"]
        return self.text_vectors(features, padding_mask)

    def text_vectors(self, features: Mapping[str, Tensor], padding_mask: Tensor) -> Tensor:
        """Return the vector of each text, [texts, hidden]; with `pooled`, the pooler's input."""
        if "vector" in features:
            return features["vector"]
        if not self.needs_every_token:
            return features["first"]
        return mean_of_tokens(features, padding_mask)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pooling": self.pooling}
