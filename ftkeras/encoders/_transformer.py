"""The layers that a BERT-family encoder is made of; each owns its weights directly.

No Dense, LayerNormalization or Dropout layers inside: each would cost Python calls and trace time.
"""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from ftkeras.encoders._gradients import (
    attention_to_train,
    dropout,
    gelu,
    gelu_to_train,
    probabilities,
    softmax,
    standardize,
    standardize_to_train,
)
from ftkeras.support.layer_hooks import LayerHooks
from ftkeras.support.seeds import ReplicaSeedGenerator

STANDARD_DEVIATION = 0.02
# Added to the score of a padded position: finite in float16 too, and exactly 0 after the softmax.
MASKED = -3e4

ACTIVATIONS = {
    "gelu": gelu,
    "gelu_new": lambda x: ops.gelu(x, approximate=True),
    "gelu_pytorch_tanh": lambda x: ops.gelu(x, approximate=True),
    "relu": ops.relu,
    "silu": ops.silu,
    "swish": ops.silu,
}
# In the place of those above, in training.
ACTIVATIONS_TO_TRAIN = {"gelu": gelu_to_train}


def score_bias_of(padding_mask):
    """[batch, length], 1 for a token and 0 for padding -> what is added to the scores."""
    mask = ops.cast(padding_mask, "float32")
    return ops.expand_dims(1.0 - mask, (1, 2)) * MASKED


class Packing(NamedTuple):
    """How several texts lie end to end in each row; integers."""

    starts: Any  # [batch, texts], rising: where texts start
    texts: Any  # [batch, length]: which text a position is of
    places: Any  # [batch, length]: its place in that text, from 0


def packing_of(starts, length) -> Packing:
    """By where texts start, [batch, texts]. What stands behind the last text counts to it."""
    positions = ops.arange(length, dtype=starts.dtype)
    begun = ops.less_equal(starts[:, None, :], positions[None, :, None])
    texts = ops.sum(ops.cast(begun, starts.dtype), axis=-1) - 1
    return Packing(starts, texts, positions - ops.take_along_axis(starts, texts, axis=1))


def apart(score_bias, texts, asking):
    """A score bias [batch, 1, 1, length] so that each text attends to itself alone.

    texts [batch, length] and asking [batch, queries]: the texts that keys and queries are of.
    """
    same = ops.equal(asking[:, None, :, None], texts[:, None, None, :])
    return ops.where(same, score_bias, ops.cast(MASKED, score_bias.dtype))


def first_of(x, packing):
    """What stands where texts start: [batch, length, …] -> [batch, texts, …]; one where not packed.

    Of a start behind the end, where no text stands, what stands last.
    """
    if packing is None:
        return x[:, :1]
    inside = ops.minimum(packing.starts, ops.shape(x)[1] - 1)
    return ops.take_along_axis(x, inside if len(x.shape) == 2 else inside[:, :, None], axis=1)


def project(x, kernel, bias):
    # ops.add, not +: on TensorFlow it becomes a BiasAdd, which is fused with the matrix product.
    return ops.add(ops.matmul(x, kernel), bias)


def normalize(x, scale, bias, epsilon, training):
    """Layer normalization over the last axis, its statistics in float32 at least."""
    standard = standardize_to_train if training else standardize
    return ops.cast(ops.add(standard(x, epsilon) * scale, bias), x.dtype)


class WeightedLayer(keras.layers.Layer):
    """A layer whose weights start from zeros (a checkpoint follows) or from a normal distribution.

    Args:
        initial: "normal" (truncated, standard deviation 0.02; biases 0, scales 1) or "zeros".
        seed: integer; fixes the weights and the dropout masks.
    """

    def __init__(self, *, initial, seed, **kwargs):
        super().__init__(**kwargs)
        self.initial = initial
        self._draws = np.random.default_rng(seed)
        self.seeds = ReplicaSeedGenerator(self.draw_seed())

    def draw_seed(self) -> int:
        return int(self._draws.integers(2**31))

    def normal(self):
        return keras.initializers.TruncatedNormal(stddev=STANDARD_DEVIATION, seed=self.draw_seed())

    def kernel(self, name, *shape, autocast=True):
        initializer = self.normal() if self.initial == "normal" else "zeros"
        return self.add_weight(name=name, shape=shape, initializer=initializer, autocast=autocast)

    def bias(self, name, size):
        return self.add_weight(name=name, shape=(size,), initializer="zeros")

    def norm(self, name, size):
        # Not autocast: normalization is computed in float32 whatever the policy.
        def weight(suffix, start):
            return self.add_weight(
                name=f"{name}_{suffix}", shape=(size,), initializer=start, autocast=False
            )

        return weight("scale", "ones"), weight("bias", "zeros")

    def drop(self, x, rate, training):
        return dropout(x, rate, self.seeds) if training and rate else x


class Embeddings(WeightedLayer):
    """Sum of token, position and segment embeddings, normalized: ids [B, L] -> [B, L, hidden].

    `offset` [B, L, hidden] is added to the sum, as adversarial training does.
    """

    def __init__(
        self,
        *,
        vocabulary_size,
        hidden,
        positions,
        segments,
        dropout,
        epsilon,
        hooks: LayerHooks,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.rows = (vocabulary_size, positions, segments)
        self.hidden, self.rate, self.epsilon = hidden, dropout, epsilon
        self.hooks = hooks

    def build(self, input_shape=None):
        # Not autocast: half precision would cast a whole table to look up a few of its rows.
        names = ("token_embedding", "position_embedding", "segment_embedding")
        self.token, self.position, self.segment = (
            self.kernel(name, rows, self.hidden, autocast=False)
            for name, rows in zip(names, self.rows, strict=True)
        )
        self.norm_scale, self.norm_bias = self.norm("norm", self.hidden)

    @property
    def is_fixed(self) -> bool:
        """Whether it computes the same in every step of training."""
        return not (self.trainable_variables or self.rate or self.hooks.changes_embeddings)

    def call(
        self,
        token_ids,
        padding_mask=None,
        segment_ids=None,
        position_ids=None,
        offset=None,
        training=False,
    ):
        x = ops.take(self.token, token_ids, axis=0)
        if position_ids is None:
            x = x + self.position[: ops.shape(token_ids)[1]]
        else:
            x = x + ops.take(self.position, position_ids, axis=0)
        if segment_ids is None:
            x = ops.add(x, self.segment[0])
        else:
            x = x + ops.take(self.segment, segment_ids, axis=0)
        if offset is not None:
            x = x + ops.cast(offset, x.dtype)
        if training:
            x = self.hooks.apply_to_embeddings(x, padding_mask)
        x = normalize(x, self.norm_scale, self.norm_bias, self.epsilon, training)
        return self.drop(ops.cast(x, self.compute_dtype), self.rate, training)


class TransformerLayer(WeightedLayer):
    """Self-attention and a feed-forward network, each with a residual and normalized after it.

    a = norm(x + dropout(softmax(q k' / sqrt(d) + mask) v W + b))
    y = norm(a + dropout(activation(a W1 + b1) W2 + b2))

    Where few positions are `asked` for, their queries alone are made, and no keys and values: with
    q_h, K_h, V_h a head's query and kernels, and a_h its attention probabilities,

    scores_h = (q_h K_h') x',     values_h = (a_h x) V_h + (sum of a_h) c_h,     c the values' bias

    which is the same for less work, for a key's bias adds the same to all of a query's scores.

    Source: Devlin et al., 2019, https://arxiv.org/abs/1810.04805; Vaswani et al., 2017, section 3.
    """

    def __init__(
        self,
        *,
        hidden,
        heads,
        intermediate,
        activation,
        dropout,
        attention_dropout,
        epsilon,
        hooks: LayerHooks,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.hidden, self.heads, self.intermediate = hidden, heads, intermediate
        self.size = hidden // heads
        self.activation = ACTIVATIONS[activation]
        self.activation_to_train = ACTIVATIONS_TO_TRAIN.get(activation, self.activation)
        self.rate, self.attention_rate, self.epsilon = dropout, attention_dropout, epsilon
        self.hooks = hooks

    def build(self, input_shape=None):
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
    def is_fixed(self) -> bool:
        """Whether it computes the same in every step of training."""
        return not (self.trainable_variables or self.draws or self.is_changed)

    @property
    def is_changed(self) -> bool:
        """Whether it computes with more than its own weights."""
        return self.hooks.changes(self)

    @property
    def draws(self) -> int:
        """How many seeds it draws in a call in training."""
        return (self.attention_rate > 0) + 2 * (self.rate > 0)

    def call(self, x, score_bias=None, asked=None, training=False):
        # Rank 2 throughout: so a product with a kernel is one fused with its bias.
        if asked is None:
            kept, shape = ops.reshape(x, (-1, self.hidden)), ops.shape(x)
            attended = self.attend(kept, score_bias, shape[1], training)
        else:
            kept, shape = ops.reshape(asked, (-1, self.hidden)), ops.shape(asked)
            attended = self.look_up(kept, x, score_bias, shape[1], training)
        attended = project(
            attended,
            self.hooks.apply_to_kernel(self.attention_kernel, training),
            self.attention_bias,
        )
        kept = self.residual("attention", kept, attended, self.attention_norm, training)
        inner = project(
            kept, self.hooks.apply_to_kernel(self.inner_kernel, training), self.inner_bias
        )
        inner = (self.activation_to_train if training else self.activation)(inner)
        outer = project(
            inner, self.hooks.apply_to_kernel(self.output_kernel, training), self.output_bias
        )
        kept = self.residual("output", kept, outer, self.output_norm, training)
        return ops.reshape(kept, shape)

    def residual(self, sub_layer, x, given, norm, training):
        """x and what the sub-layer has given for it, summed and normalized."""
        given = self.drop(given, self.rate, training)
        x = x + self.hooks.apply_to_sub_layer(self, sub_layer, given)
        return normalize(x, *norm, self.epsilon, training)

    def attend(self, x, score_bias, length, training):
        """Rows [B * L, hidden] -> the heads' values, side by side, [B * L, hidden]."""
        qkv = project(x, self.hooks.apply_to_kernel(self.qkv_kernel, training), self.qkv_bias)
        qkv = ops.reshape(qkv, (-1, length, 3, self.heads, self.size))
        query, key, value = ops.unstack(ops.transpose(qkv, (2, 0, 3, 1, 4)), 3, axis=0)
        query = query * self.size**-0.5
        if training:
            rate, seeds = self.attention_rate, self.seeds
            values = attention_to_train(query, key, value, score_bias, rate, seeds)
        else:
            values = ops.matmul(probabilities(query, key, score_bias), value)
        return ops.reshape(ops.transpose(values, (0, 2, 1, 3)), (-1, self.hidden))

    def look_up(self, asking, x, score_bias, queries, training):
        """What `attend` gives the rows that ask, [B * Q, hidden], of x, [B, L, hidden]."""
        heads, size = self.heads, self.size
        kernel = ops.reshape(
            self.hooks.apply_to_kernel(self.qkv_kernel, training), (-1, 3, heads, size)
        )
        bias = ops.reshape(self.qkv_bias, (3, heads, 1, size))
        # Heads in front, [heads, hidden, size] each.
        of_query, of_key, of_value = ops.unstack(ops.transpose(kernel, (1, 2, 0, 3)), 3, axis=0)
        query = ops.matmul(asking, of_query) + bias[0]
        looking = ops.matmul(query * size**-0.5, ops.swapaxes(of_key, -1, -2))
        looking = ops.reshape(looking, (heads, -1, queries, self.hidden))
        looking = ops.transpose(looking, (1, 0, 2, 3))
        scores = ops.einsum("bhqd,bld->bhql", looking, x)
        weights = self.drop(softmax(scores, score_bias), self.attention_rate, training)
        seen = ops.transpose(ops.einsum("bhql,bld->bhqd", weights, x), (1, 0, 2, 3))
        values = ops.matmul(ops.reshape(seen, (heads, -1, self.hidden)), of_value)
        shares = ops.transpose(ops.sum(weights, axis=-1), (1, 0, 2))
        values = values + ops.reshape(shares, (heads, -1, 1)) * bias[2]
        return ops.reshape(ops.transpose(values, (1, 0, 2)), (-1, self.hidden))


class Pooler(WeightedLayer):
    """tanh(x W + b), x the state of a text's first token, [B, hidden] -> [B, hidden]."""

    def __init__(self, *, hidden, **kwargs):
        super().__init__(**kwargs)
        self.hidden = hidden

    def build(self, input_shape=None):
        self.weights_kernel = self.kernel("kernel", self.hidden, self.hidden)
        self.weights_bias = self.bias("bias", self.hidden)

    def call(self, x):
        return ops.tanh(project(x, self.weights_kernel, self.weights_bias))
