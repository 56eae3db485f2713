"""The layers of a BERT-family encoder; each owns its weights directly.

They contain no Dense, LayerNormalization or Dropout layers: each of those would cost Python calls
and tracing time.
"""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from ftkeras.encoders._gradients import (
    attention_with_gradient,
    gelu,
    gelu_with_gradient,
    probabilities,
    softmax,
)
from ftkeras.encoders._weighted_layer import WeightedLayer, normalize, project
from ftkeras.support.layer_hooks import LayerHooks

Tensor = Any

ACTIVATIONS = {
    "gelu": gelu,
    "gelu_new": lambda x: ops.gelu(x, approximate=True),
    "gelu_pytorch_tanh": lambda x: ops.gelu(x, approximate=True),
    "relu": ops.relu,
    "silu": ops.silu,
    "swish": ops.silu,
}
# Used instead in training.
TRAINING_ACTIVATIONS = {"gelu": gelu_with_gradient}
POOLER_ACTIVATIONS = {"tanh": ops.tanh, "relu": ops.relu, "gelu": gelu}


class Embeddings(WeightedLayer):
    """Sum of token, position and segment embeddings, normalized: ids [B, L] -> [B, L, hidden].

    x = dropout(norm(token + position + segment + offset)) P + p

    Args:
        vocabulary_size: rows of the token embedding.
        hidden: columns of the result.
        embedding: columns of each embedding; they are projected if this is not `hidden`.
        positions: the most tokens in a row.
        first_position: the row of the position embedding for the first token.
        segments: rows of the segment embedding; 0 for none.
        dropout: rate, in [0, 1).
        epsilon: added to the variance; positive.
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
        hooks: LayerHooks,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.rows = {"token": vocabulary_size, "position": first_position + positions}
        if segments:
            self.rows["segment"] = segments
        self.hidden, self.width, self.first_position = hidden, embedding, first_position
        self.rate, self.epsilon, self.hooks = dropout, epsilon, hooks
        self.segment = self.projection = None

    def build(self, input_shape: Any = None) -> None:
        for name, rows in self.rows.items():
            # Not autocast: half precision would cast a whole table to look up a few rows.
            table = self.kernel(f"{name}_embedding", rows, self.width, autocast=False)
            setattr(self, name, table)
        self.norm_scale, self.norm_bias = self.norm("norm", self.width)
        if self.width != self.hidden:
            kernel = self.kernel("projection_kernel", self.width, self.hidden)
            self.projection = kernel, self.bias("projection_bias", self.hidden)

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
        if position_ids is None:
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
        x = normalize(x, self.norm_scale, self.norm_bias, self.epsilon, training)
        x = self.drop(ops.cast(x, self.compute_dtype), self.rate, training)
        return x if self.projection is None else project(x, *self.projection)


class TransformerLayer(WeightedLayer):
    """Self-attention and a feed-forward network, each with a residual connection, then normalized.

    a = norm(x + dropout(softmax(q k' / sqrt(d) + mask) v W + b))
    y = norm(a + dropout(activation(a W1 + b1) W2 + b2))

    If only a few positions are needed, the caller passes them as `queries`. No keys and values are
    then computed: with a head's query q_h, its kernels K_h and V_h, its attention probabilities
    a_h and the values' bias c_h,

    scores_h = (q_h K_h') x',     values_h = (a_h x) V_h + (sum of a_h) c_h

    The result is the same, because a key's bias adds one number to all scores of a query.

    Source: Devlin et al., 2019, https://arxiv.org/abs/1810.04805; Vaswani et al., 2017, section 3.

    Args:
        hidden: width of the states; a multiple of `heads`.
        heads: attention heads.
        intermediate: width of the feed-forward network.
        activation: a key of `ACTIVATIONS`.
        dropout: rate on the sub-layers' outputs, in [0, 1).
        attention_dropout: rate on the attention probabilities, in [0, 1).
        epsilon: added to the variance; positive.
        hooks: may change the kernels and the sub-layers' outputs.
        **kwargs: of `WeightedLayer`.

    Call: x [B, L, hidden]; score_bias, broadcast to [B, heads, L, L], or None; queries
        [B, Q, hidden], the rows of x to compute (None: all) -> [B, L, hidden] or [B, Q, hidden].
    """

    def __init__(
        self,
        *,
        hidden: int,
        heads: int,
        intermediate: int,
        activation: str,
        dropout: float,
        attention_dropout: float,
        epsilon: float,
        hooks: LayerHooks,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.hidden, self.heads, self.intermediate = hidden, heads, intermediate
        self.size = hidden // heads
        self.activation = ACTIVATIONS[activation]
        self.training_activation = TRAINING_ACTIVATIONS.get(activation, self.activation)
        self.rate, self.attention_rate, self.epsilon = dropout, attention_dropout, epsilon
        self.hooks = hooks

    def build(self, input_shape: Any = None) -> None:
        hidden, inner = self.hidden, self.intermediate
        self.qkv_kernel = self.kernel("attention_qkv_kernel", hidden, 3 * hidden)
        self.qkv_bias = self.bias("attention_qkv_bias", 3 * hidden)
        self.attention_kernel = self.kernel("attention_output_kernel", hidden, hidden)
        self.attention_bias = self.bias("attention_output_bias", hidden)
        self.attention_norm = self.norm("attention_norm", hidden)
        self.inner_kernel = self.kernel("intermediate_kernel", hidden, inner)
        self.inner_bias = self.bias("intermediate_bias", inner)
        self.output_kernel = self.kernel("output_kernel", inner, hidden)
        self.output_bias = self.bias("output_bias", hidden)
        self.output_norm = self.norm("output_norm", hidden)

    @property
    def kernels(self) -> Mapping[tuple[str, ...], keras.Variable]:
        """The kernels, by the names of their equal shares of columns from left to right."""
        return {
            ("query", "key", "value"): self.qkv_kernel,
            ("attention_output",): self.attention_kernel,
            ("intermediate",): self.inner_kernel,
            ("output",): self.output_kernel,
        }

    @property
    def is_fixed(self) -> bool:
        """True if it computes the same function in every training step."""
        return not (self.trainable_variables or self.seeds_per_call or self.is_changed)

    @property
    def is_changed(self) -> bool:
        """True if hooks change its kernels or sub-layers."""
        return self.hooks.changes(self)

    @property
    def seeds_per_call(self) -> int:
        """The number of dropout seeds that a call in training takes."""
        return (self.attention_rate > 0) + 2 * (self.rate > 0)

    def disable_dropout(self) -> None:
        """Compute in training what inference computes."""
        self.rate = self.attention_rate = 0.0

    def call(
        self,
        x: Tensor,
        score_bias: Tensor = None,
        queries: Tensor = None,
        training: bool = False,
    ) -> Tensor:
        # Rank 2 throughout, so that TensorFlow fuses each product with its bias.
        if queries is None:
            states, shape = ops.reshape(x, (-1, self.hidden)), ops.shape(x)
            attended = self._attend(states, score_bias, shape[1], training)
        else:
            states, shape = ops.reshape(queries, (-1, self.hidden)), ops.shape(queries)
            attended = self._attend_from(states, x, score_bias, shape[1], training)
        kernel = self.hooks.apply_to_kernel
        attended = project(attended, kernel(self.attention_kernel, training), self.attention_bias)
        states = self._add("attention", states, attended, self.attention_norm, training)
        inner = project(states, kernel(self.inner_kernel, training), self.inner_bias)
        inner = (self.training_activation if training else self.activation)(inner)
        outer = project(inner, kernel(self.output_kernel, training), self.output_bias)
        states = self._add("output", states, outer, self.output_norm, training)
        return ops.reshape(states, shape)

    def _add(
        self, sub_layer: str, x: Tensor, output: Tensor, norm: tuple[Tensor, Tensor], training: bool
    ) -> Tensor:
        """Add a sub-layer's output to its input and normalize the sum."""
        output = self.drop(output, self.rate, training)
        x = x + self.hooks.apply_to_sub_layer(self, sub_layer, output)
        scale, bias = norm
        return normalize(x, scale, bias, self.epsilon, training)

    def _attend(self, x: Tensor, score_bias: Tensor, length: Tensor, training: bool) -> Tensor:
        """Return the heads' values side by side, [B * L, hidden], for rows [B * L, hidden]."""
        kernel = self.hooks.apply_to_kernel(self.qkv_kernel, training)
        qkv = ops.reshape(project(x, kernel, self.qkv_bias), (-1, length, 3, self.heads, self.size))
        query, key, value = ops.unstack(ops.transpose(qkv, (2, 0, 3, 1, 4)), 3, axis=0)
        query = query * self.size**-0.5
        if training:
            rate, seeds = self.attention_rate, self.seeds
            values = attention_with_gradient(query, key, value, score_bias, rate, seeds)
        else:
            values = ops.matmul(probabilities(query, key, score_bias), value)
        return ops.reshape(ops.transpose(values, (0, 2, 1, 3)), (-1, self.hidden))

    def _attend_from(
        self, queries: Tensor, x: Tensor, score_bias: Tensor, count: Tensor, training: bool
    ) -> Tensor:
        """Return what `_attend` does for some rows of x [B, L, hidden] only.

        Args:
            queries: the rows, [B * count, hidden].
            x: the states to attend to.
            score_bias: broadcast to [B, heads, count, L], or None.
            count: queries in each row of x.
            training: whether dropout and training hooks apply.
        """
        heads, size = self.heads, self.size
        kernel = self.hooks.apply_to_kernel(self.qkv_kernel, training)
        kernel = ops.reshape(kernel, (-1, 3, heads, size))
        bias = ops.reshape(self.qkv_bias, (3, heads, 1, size))
        # Heads in front: [heads, hidden, size] each.
        of_query, of_key, of_value = ops.unstack(ops.transpose(kernel, (1, 2, 0, 3)), 3, axis=0)
        query = ops.matmul(queries, of_query) + bias[0]
        keyed = ops.matmul(query * size**-0.5, ops.swapaxes(of_key, -1, -2))
        keyed = ops.reshape(keyed, (heads, -1, count, self.hidden))
        scores = ops.einsum("bhqd,bld->bhql", ops.transpose(keyed, (1, 0, 2, 3)), x)
        weights = self.drop(softmax(scores, score_bias), self.attention_rate, training)
        seen = ops.transpose(ops.einsum("bhql,bld->bhqd", weights, x), (1, 0, 2, 3))
        values = ops.matmul(ops.reshape(seen, (heads, -1, self.hidden)), of_value)
        shares = ops.transpose(ops.sum(weights, axis=-1), (1, 0, 2))
        values = values + ops.reshape(shares, (heads, -1, 1)) * bias[2]
        return ops.reshape(ops.transpose(values, (1, 0, 2)), (-1, self.hidden))


class Pooler(WeightedLayer):
    """f(x W + b), where x is the state of a text's first token, [B, hidden] -> [B, hidden].

    Args:
        hidden: width of the states.
        activation: a key of `POOLER_ACTIVATIONS`.
        **kwargs: of `WeightedLayer`.
    """

    def __init__(self, *, hidden: int, activation: str = "tanh", **kwargs: Any):
        super().__init__(**kwargs)
        self.hidden, self.activation = hidden, activation

    def build(self, input_shape: Any = None) -> None:
        self.weights_kernel = self.kernel("kernel", self.hidden, self.hidden)
        self.weights_bias = self.bias("bias", self.hidden)

    def call(self, x: Tensor) -> Tensor:
        dense = project(x, self.weights_kernel, self.weights_bias)
        return POOLER_ACTIVATIONS[self.activation](dense)
