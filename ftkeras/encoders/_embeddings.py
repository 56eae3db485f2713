"""An encoder's embeddings, and its pooler."""

from typing import Any

from keras import ops

from ftkeras.encoders._gradients import gelu
from ftkeras.encoders._weighted_layer import WeightedLayer, normalize, project
from ftkeras.support.layer_hooks import LayerHooks

Tensor = Any

POOLER_ACTIVATIONS = {"tanh": ops.tanh, "relu": ops.relu, "gelu": gelu}


class Embeddings(WeightedLayer):
    """Sum of token, position and segment embeddings, normalized: ids [B, L] -> [B, L, hidden].

    x = dropout(norm(token + position + segment + offset)) P + p

    Args:
        vocabulary_size: rows of the token embedding.
        hidden: columns of the result.
        embedding: columns of each embedding; they are projected if this is not `hidden`.
        positions: the most tokens in a row; 0 for no position embedding.
        first_position: the row of the position embedding for the first token.
        segments: number of segments (rows of the segment embedding); 0 for none.
        dropout: rate, in [0, 1).
        epsilon: added to the variance; positive.
        biases: whether the normalization has a bias.
        normalized: whether there is a normalization.
        relative: the shape of the table of relative positions, or None for no such table.
        relative_norm: whether that table is normalized.
        hooks: may change the sum in training.
        **kwargs: of `WeightedLayer`.

    Call: token_ids [B, L]; padding_mask [B, L], which only hooks read; segment_ids [B, L] (None:
        all 0); position_ids [B, L] (None: 0 to L - 1); offset [B, L, embedding], added to the sum
        as adversarial training does (None: nothing).
    """

    def __init__(
        self,
        *,
        vocabulary_size: int,
        hidden: int,
        embedding: int,
        positions: int,
        first_position: int,
        segments: int,
        dropout: float,
        epsilon: float,
        biases: bool,
        hooks: LayerHooks,
        normalized: bool = True,
        relative: tuple[int, int] | None = None,
        relative_norm: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.relative_shape, self.has_relative_norm = relative, relative_norm
        self.rows = {"token": vocabulary_size}
        if positions:
            self.rows["position"] = first_position + positions
        if segments:
            self.rows["segment"] = segments
        self.hidden, self.width, self.first_position = hidden, embedding, first_position
        self.rate, self.epsilon, self.hooks = dropout, epsilon, hooks
        self.biases, self.normalized = biases, normalized
        self.position = self.segment = self.projection = None

    def build(self, input_shape: Any = None) -> None:
        for name, rows in self.rows.items():
            # Not autocast: half precision would cast a whole table to look up a few rows.
            table = self.kernel(f"{name}_embedding", rows, self.width, autocast=False)
            setattr(self, name, table)
        self.sum_norm = None
        if self.normalized:
            self.sum_norm = self.norm("norm", self.width, bias=self.biases)
        if self.width != self.hidden:
            kernel = self.kernel("projection_kernel", self.width, self.hidden)
            self.projection = kernel, self.bias("projection_bias", self.hidden)
        self.relative = self.relative_norm = None
        if self.relative_shape is not None:
            self.relative = self.kernel("relative_embedding", *self.relative_shape, autocast=False)
            if self.has_relative_norm:
                self.relative_norm = self.norm("relative_norm", self.relative_shape[1])

    def relative_table(self, training: bool) -> Tensor:
        """Return the table of relative positions, normalized if it is to be; None without one."""
        if self.relative is None:
            return None
        table = self.relative[:]  # a tensor: our gradients are not for variables
        if self.relative_norm is not None:
            table = normalize(table, *self.relative_norm, self.epsilon, training)
        return ops.cast(table, self.compute_dtype)

    @property
    def is_fixed(self) -> bool:
        """True if it computes the same function in every training step."""
        return not (self.trainable_variables or self.rate or self.hooks.changes_embeddings)

    def disable_dropout(self) -> None:
        """Compute in training what inference computes."""
        self.rate = 0.0

    def call(
        self,
        token_ids: Tensor,
        padding_mask: Tensor = None,
        segment_ids: Tensor = None,
        position_ids: Tensor = None,
        offset: Tensor = None,
        training: bool = False,
    ) -> Tensor:
        x = ops.take(self.token, token_ids, axis=0)
        if self.position is None:
            pass  # the layers rotate queries and keys instead
        elif position_ids is None:
            first = self.first_position
            x = x + self.position[first : first + ops.shape(token_ids)[1]]
        else:
            x = x + ops.take(self.position, position_ids + self.first_position, axis=0)
        if self.segment is not None:
            if segment_ids is None:
                x = ops.add(x, self.segment[0])
            else:
                x = x + ops.take(self.segment, segment_ids, axis=0)
        if offset is not None:
            x = x + ops.cast(offset, x.dtype)
        if training:
            x = self.hooks.apply_to_embeddings(x, padding_mask)
        if self.sum_norm is not None:
            x = normalize(x, *self.sum_norm, self.epsilon, training)
        x = self.drop(ops.cast(x, self.compute_dtype), self.rate, training)
        return x if self.projection is None else project(x, *self.projection)


class Pooler(WeightedLayer):
    """f(x W + b), where x is the state of a text's first token, [B, hidden] -> [B, hidden].

    Args:
        hidden: width of the states.
        activation: a key of `POOLER_ACTIVATIONS`.
        epsilon: the result is normalized, with this added to the variance; None if it is not.
        biases: whether there is the bias b, and one of the normalization.
        **kwargs: of `WeightedLayer`.
    """

    def __init__(
        self,
        *,
        hidden: int,
        activation: str = "tanh",
        epsilon: float | None = None,
        biases: bool = True,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.hidden, self.activation = hidden, activation
        self.epsilon, self.biases = epsilon, biases

    def build(self, input_shape: Any = None) -> None:
        self.weights_kernel = self.kernel("kernel", self.hidden, self.hidden)
        self.weights_bias = self.bias("bias", self.hidden) if self.biases else None
        self.weights_norm = None
        if self.epsilon is not None:
            self.weights_norm = self.norm("norm", self.hidden, bias=self.biases)

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        dense = project(x, self.weights_kernel, self.weights_bias)
        pooled = POOLER_ACTIVATIONS[self.activation](dense)
        if self.weights_norm is None or self.epsilon is None:
            return pooled
        return normalize(pooled, *self.weights_norm, self.epsilon, training)
