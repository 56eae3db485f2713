"""A Transformer layer, which owns its weights directly.

It contains no Dense, LayerNormalization or Dropout layers: each of those would cost Python calls
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
from ftkeras.encoders._local import from_blocks, is_blockwise, to_blocks, to_neighbours
from ftkeras.encoders._packing import Attention
from ftkeras.encoders._relative import Disentangled, RelativePositions
from ftkeras.encoders._rotary import rotate
from ftkeras.encoders._weighted_layer import Norm, WeightedLayer, normalize, project
from ftkeras.support.layer_hooks import LayerHooks

Tensor = Any
ALL = Attention()  # every token attends to all

ACTIVATIONS = {
    "gelu": gelu,
    "gelu_new": lambda x: ops.gelu(x, approximate=True),
    "gelu_pytorch_tanh": lambda x: ops.gelu(x, approximate=True),
    "relu": ops.relu,
    "silu": ops.silu,
    "swish": ops.silu,
}
# Used instead in training.
TRAINING_ACTIVATIONS: dict[str, Any] = {"gelu": gelu_with_gradient}


class TransformerLayer(WeightedLayer):
    """Self-attention and a feed-forward network, each with a residual connection.

    Normalized after each sub-layer, as in BERT:

    a = norm(x + dropout(softmax(q k' / sqrt(d) + mask) v W + b))
    y = norm(a + dropout(activation(a W1 + b1) W2 + b2))

    Normalized before each sub-layer, with `norm_first`:

    a = x + dropout(attention(norm(x))),    y = a + dropout(network(norm(a)))

    If only a few positions are needed, the caller passes them as `queries`. No keys and values are
    then computed: with a head's query q_h, its kernels K_h and V_h, its attention probabilities
    a_h and the values' bias c_h,

    scores_h = (q_h K_h') x',     values_h = (a_h x) V_h + (sum of a_h) c_h

    The result is the same, because a key's bias adds one number to all scores of a query. Keys that
    are rotated by their positions have to be computed.

    Source: Devlin et al., 2019, https://arxiv.org/abs/1810.04805; Vaswani et al., 2017, section 3;
    Xiong et al., 2020, https://arxiv.org/abs/2002.04745, for `norm_first`; Shazeer, 2020,
    https://arxiv.org/abs/2002.05202, for `gated`.

    Args:
        hidden: width of the states; a multiple of `heads`.
        heads: attention heads.
        intermediate: width of the feed-forward network.
        activation: a key of `ACTIVATIONS`.
        dropout: rate on the sub-layers' outputs, in [0, 1).
        attention_dropout: rate on the attention probabilities, in [0, 1).
        epsilon: added to the variance; positive.
        hooks: may change the kernels and the sub-layers' outputs.
        biases: whether there are biases, also in normalizations.
        gated: whether the feed-forward network is (activation(a W1) * (a W3)) W2.
        norm_first: whether each sub-layer's input is normalized, instead of the sum after it.
        is_first: with `norm_first`, whether the input is normalized already.
        is_last: with `norm_first`, whether `finish` normalizes the output.
        window: the largest distance between tokens that attend to each other; None for any.
        relative: how scores depend on the distance of tokens, or None.
        **kwargs: of `WeightedLayer`.

    Call: x [B, L, hidden]; attention, its bias broadcast to [B, heads, L, L], or None; queries
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
        biases: bool = True,
        gated: bool = False,
        norm_first: bool = False,
        is_first: bool = False,
        is_last: bool = False,
        window: int | None = None,
        relative: RelativePositions | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.hidden, self.heads, self.intermediate = hidden, heads, intermediate
        self.size = hidden // heads
        # The layer projects the rows of the table of relative positions only if they have its type.
        self.relative = relative if isinstance(relative, Disentangled) else None
        self.scale = (self.size * (1 if self.relative is None else 3)) ** -0.5
        self.activation = ACTIVATIONS[activation]
        self.training_activation = TRAINING_ACTIVATIONS.get(activation, self.activation)
        self.rate, self.attention_rate, self.epsilon = dropout, attention_dropout, epsilon
        self.hooks, self.biases, self.gated, self.window = hooks, biases, gated, window
        self.norm_first = norm_first
        self.is_first, self.is_last = norm_first and is_first, norm_first and is_last

    def build(self, input_shape: Any = None) -> None:
        def bias(name: str, size: int) -> keras.Variable | None:
            return self.bias(name, size) if self.biases else None

        def norm(name: str) -> Norm:
            return self.norm(name, hidden, bias=self.biases)

        hidden, inner = self.hidden, self.intermediate * (1 + self.gated)
        self.qkv_kernel = self.kernel("attention_qkv_kernel", hidden, 3 * hidden)
        self.qkv_bias = bias("attention_qkv_bias", 3 * hidden)
        self.attention_kernel = self.kernel("attention_output_kernel", hidden, hidden)
        self.attention_bias = bias("attention_output_bias", hidden)
        self.attention_norm = None if self.is_first else norm("attention_norm")
        self.inner_kernel = self.kernel("intermediate_kernel", hidden, inner)
        self.inner_bias = bias("intermediate_bias", inner)
        self.output_kernel = self.kernel("output_kernel", self.intermediate, hidden)
        self.output_bias = bias("output_bias", hidden)
        self.output_norm = norm("output_norm")
        self.final_norm = norm("final_norm") if self.is_last else None

    @property
    def structure(self) -> tuple[Any, ...]:
        """Equal for layers of an encoder that differ in their weights only."""
        return self.is_first, self.is_last, self.window

    @property
    def kernels(self) -> Mapping[tuple[str, ...], keras.Variable]:
        """The kernels, by the names of the equal parts of their columns, from left to right."""
        return {
            ("query", "key", "value"): self.qkv_kernel,
            ("attention_output",): self.attention_kernel,
            ("intermediate", "gate") if self.gated else ("intermediate",): self.inner_kernel,
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
        return (self.attention_rate > 0) + (2 + (self.relative is not None)) * (self.rate > 0)

    def disable_dropout(self) -> None:
        """Compute in training what inference computes."""
        self.rate = self.attention_rate = 0.0

    def call(
        self,
        x: Tensor,
        attention: Attention = ALL,
        queries: Tensor = None,
        training: bool = False,
    ) -> Tensor:
        # Rank 2 throughout, so that TensorFlow fuses each product with its bias.
        source = x if queries is None else queries
        states, shape = ops.reshape(source, (-1, self.hidden)), ops.shape(source)
        read = self.read(states, self.attention_norm, training)
        if queries is None:
            attended = self._attend(read, attention, shape[1], training)
        else:
            x = self.read(x, self.attention_norm, training)
            attended = self._attend_from(read, x, attention, shape[1], training)
        kernel = self.hooks.apply_to_kernel
        attended = project(attended, kernel(self.attention_kernel, training), self.attention_bias)
        states = self._add("attention", states, attended, self.attention_norm, training)
        read = self.read(states, self.output_norm, training)
        inner = project(read, kernel(self.inner_kernel, training), self.inner_bias)
        outer = project(
            self._activate(inner, training), kernel(self.output_kernel, training), self.output_bias
        )
        states = self._add("output", states, outer, self.output_norm, training)
        return ops.reshape(states, shape)

    def finish(self, x: Tensor, training: bool) -> Tensor:
        """Normalize the output of the last layer if `norm_first`; else return x unchanged."""
        norm = self.final_norm
        return x if norm is None else normalize(x, *norm, self.epsilon, training)

    def read(self, x: Tensor, norm: Norm | None, training: bool) -> Tensor:
        """Return the input of a sub-layer: the states, normalized if `norm_first`."""
        if not self.norm_first or norm is None:
            return x
        return normalize(x, *norm, self.epsilon, training)

    def _add(
        self, sub_layer: str, x: Tensor, output: Tensor, norm: Norm | None, training: bool
    ) -> Tensor:
        """Add a sub-layer's output to its input, and normalize the sum unless that comes first."""
        output = self.drop(output, self.rate, training)
        x = x + self.hooks.apply_to_sub_layer(self, sub_layer, output)
        if self.norm_first or norm is None:
            return x
        return normalize(x, *norm, self.epsilon, training)

    def _activate(self, inner: Tensor, training: bool) -> Tensor:
        activation = self.training_activation if training else self.activation
        if not self.gated:
            return activation(inner)
        inner, gate = ops.split(inner, 2, axis=-1)
        return activation(inner) * gate

    def _attend(self, x: Tensor, attention: Attention, length: Tensor, training: bool) -> Tensor:
        """Return the heads' values side by side, [B * L, hidden], for rows [B * L, hidden]."""
        query, key, value, relative = self.project(x, attention, length, training)
        blocks = self.window if self.window and is_blockwise(length, self.window) else None
        if blocks:
            query = to_blocks(query, blocks)
            key, value = to_neighbours(key, blocks), to_neighbours(value, blocks)
        if training:
            drop = self.attention_rate, self.seeds
            values = attention_with_gradient(query, key, value, attention.bias, *drop, relative)
        else:
            values = ops.matmul(probabilities(query, key, relative, attention.bias), value)
        values = from_blocks(values, blocks, length) if blocks else values
        return ops.reshape(ops.transpose(values, (0, 2, 1, 3)), (-1, self.hidden))

    def project(self, x: Tensor, attention: Attention, length: Tensor, training: bool) -> Any:
        """Return queries, keys and values of rows, [B, heads, L, size], and a bias of scores."""
        kernel = self.hooks.apply_to_kernel(self.qkv_kernel, training)
        qkv = ops.reshape(project(x, kernel, self.qkv_bias), (-1, length, 3, self.heads, self.size))
        query, key, value = ops.unstack(ops.transpose(qkv, (2, 0, 3, 1, 4)), 3, axis=0)
        query = query * self.scale
        relative = attention.relative
        if self.relative is not None:
            tables = self.project_relative(relative, kernel, training)
            relative = self.relative.scores(query, key, *tables, length)
        if attention.rotary is not None:
            query, key = rotate(query, attention.rotary), rotate(key, attention.rotary)
        return query, key, value, relative

    def project_relative(
        self, rows: Tensor, kernel: Tensor, training: bool
    ) -> tuple[Tensor, Tensor]:
        """Return the queries and keys of relative positions, [heads, rows, size].

        Args:
            rows: of the table of relative positions, [rows, hidden].
            kernel: the kernel of queries, keys and values.
            training: whether dropout applies.
        """
        assert self.qkv_bias is not None, "networks with such positions have biases"
        both = 2 * self.hidden
        rows = self.drop(rows, self.rate, training)
        projected = project(rows, kernel[:, :both], self.qkv_bias[:both])
        projected = ops.reshape(projected, (-1, 2, self.heads, self.size))
        query, key = ops.unstack(ops.transpose(projected, (1, 2, 0, 3)), 2, axis=0)
        return query * self.scale, key

    def _attend_from(
        self, queries: Tensor, x: Tensor, attention: Attention, count: Tensor, training: bool
    ) -> Tensor:
        """Compute `_attend` for some rows of x [B, L, hidden] only.

        Args:
            queries: the rows, [B * count, hidden].
            x: the states to attend to.
            attention: its bias is broadcast to [B, heads, count, L], or None.
            count: queries in each row of x.
            training: whether dropout and training hooks apply.
        """
        heads, size = self.heads, self.size
        kernel = self.hooks.apply_to_kernel(self.qkv_kernel, training)
        if attention.rotary is not None or self.relative is not None:
            return self._attend_with_keys(queries, x, kernel, attention, count, training)
        kernel = ops.reshape(kernel, (-1, 3, heads, size))
        bias = ops.reshape(self.qkv_bias, (3, heads, 1, size))
        # Heads in front: [heads, hidden, size] each.
        query_kernel, key_kernel, value_kernel = ops.unstack(
            ops.transpose(kernel, (1, 2, 0, 3)), 3, axis=0
        )
        query = ops.matmul(queries, query_kernel) + bias[0]
        projected = ops.matmul(query * self.scale, ops.swapaxes(key_kernel, -1, -2))
        projected = ops.reshape(projected, (heads, -1, count, self.hidden))
        scores = ops.einsum("bhqd,bld->bhql", ops.transpose(projected, (1, 0, 2, 3)), x)
        weights = softmax(scores, attention.relative, attention.bias)
        weights = self.drop(weights, self.attention_rate, training)
        states = ops.transpose(ops.einsum("bhql,bld->bhqd", weights, x), (1, 0, 2, 3))
        values = ops.matmul(ops.reshape(states, (heads, -1, self.hidden)), value_kernel)
        sums = ops.transpose(ops.sum(weights, axis=-1), (1, 0, 2))
        values = values + ops.reshape(sums, (heads, -1, 1)) * bias[2]
        return ops.reshape(ops.transpose(values, (1, 0, 2)), (-1, self.hidden))

    def _attend_with_keys(
        self,
        queries: Tensor,
        x: Tensor,
        kernel: Tensor,
        attention: Attention,
        count: Tensor,
        training: bool,
    ) -> Tensor:
        """Compute `_attend_from` with keys, which depend on their positions.

        The queries are texts' first tokens, at position 0, which no rotation changes.
        """
        parts = zip(
            ops.split(kernel, 3, axis=-1),
            (None,) * 3 if self.qkv_bias is None else ops.split(self.qkv_bias, 3),
            (queries, x, x),
            (count, ops.shape(x)[1], ops.shape(x)[1]),
            strict=True,
        )
        query, key, value = (
            ops.transpose(
                ops.reshape(project(states, kernel, bias), (-1, rows, self.heads, self.size)),
                (0, 2, 1, 3),
            )
            for kernel, bias, states, rows in parts
        )
        query, relative = query * self.scale, None
        if attention.rotary is not None:
            key = rotate(key, attention.rotary)
        if self.relative is not None:
            tables = self.project_relative(attention.relative, kernel, training)
            length, positions = ops.shape(x)[1], attention.positions
            near = self.relative.from_first_token_to(positions, *tables, length)
            relative = ops.sum(key * near[0], axis=-1)[:, :, None]
            key = key + near[1]
        weights = probabilities(query, key, relative, attention.bias)
        values = ops.matmul(self.drop(weights, self.attention_rate, training), value)
        return ops.reshape(ops.transpose(values, (0, 2, 1, 3)), (-1, self.hidden))
