"""The network that all families share. A family adds its settings and the names of its tensors."""

from numbers import Integral
from typing import Any

import keras
import numpy as np
from keras import ops

from ftkeras.encoders._attention_inputs import AttentionInputs
from ftkeras.encoders._checkpoint import Checkpoint
from ftkeras.encoders._embeddings import Embeddings, Pooler
from ftkeras.encoders._gradients import probabilities
from ftkeras.encoders._packing import (
    Packing,
    first_tokens,
    last_tokens,
    membership,
    packing_from_starts,
    take_tokens,
)
from ftkeras.encoders._switches import Switches
from ftkeras.encoders._transformer import ACTIVATIONS, TransformerLayer
from ftkeras.support import bounds
from ftkeras.support.layer_hooks import LayerHooks

Tensor = Any
BERT = Switches()


class TransformerEncoder(Checkpoint, keras.layers.Layer):
    """Transformer encoder. It is bidirectional, unless its family is causal.

    x_0 = norm(token + position + segment) P;  x_i = layer_i(x_{i-1});  pooled = f(x_n[0] W + b)

    The projection P exists only if the embeddings and the states have different widths. In causal
    families, the last token represents the text instead of the first.

    Args:
        vocabulary_size: number of tokens (rows of the token embedding); positive.
        layers: number of Transformer layers; positive.
        hidden: width of the states; positive.
        heads: number of attention heads; a divisor of `hidden`.
        intermediate: width of the feed-forward network; positive, or None for 4 * hidden.
        positions: maximum number of tokens in a row; positive.
        segments: number of segments (rows of the segment embedding); 0 for no such embedding.
        embedding: width of the embeddings; positive, or None for `hidden`.
        first_position: the row of the position embedding that belongs to a text's first token.
        activation: gelu (exact), gelu_new, gelu_pytorch_tanh, relu, silu or swish.
        pooler_activation: tanh, relu or gelu.
        dropout: dropout rate of embeddings and of the outputs of sub-layers, in [0, 1).
        attention_dropout: dropout rate of attention probabilities, in [0, 1).
        epsilon: added to the variance in layer normalization; positive.
        pooler: whether to compute the pooled output.
        switches: further differences from BERT's network.
        initial: "normal" (truncated, standard deviation 0.02), or "zeros" if a checkpoint is
            loaded afterwards.
        pad_id: the id of the padding token; at least 0, or None. It is only written to config.json:
            the mask decides what is padding.
        name: the name of the layer.
        seed: integer that determines initial weights and dropout, or None.
        hooks: where policies and regularizers act inside the encoder; None for a new one. Not part
            of `get_config`.
        **kwargs: other arguments of `keras.layers.Layer`.

    Call:
        token_ids [B, L]: integers; L must be at most `positions`, which is checked if it is known.
        padding_mask [B, L]: 1 for tokens, 0 for padding; None if all are tokens.
        segment_ids [B, L]: integers; None for all 0. Ignored if there is no segment embedding.
        embedding_offset [B, L, embedding]: added to the embeddings before they are normalized.
        starts [B, T]: integers, the positions at which the T texts of each packed row start. Each
            text is computed as if it were alone. None for one text per row.
        every_token: whether the states of all tokens are needed. If not, the last layer computes
            only one token per text, which saves nearly all of its work.

    Returns a dict: "first", the states of first tokens (in causal families, those of the last
    tokens that are no padding), and "pooled", if `pooler`, both [B, hidden], or [B * T, hidden] for
    packed rows; "sequence" [B, L, hidden], if every token is needed; and "membership" [B, T, L],
    true for the tokens of a text, for packed rows.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
    """

    def __init__(
        self,
        *,
        vocabulary_size: int,
        layers: int,
        hidden: int,
        heads: int,
        intermediate: int | None,
        positions: int,
        activation: str,
        dropout: float,
        attention_dropout: float,
        pad_id: int | None,
        pooler: bool = True,
        initial: str = "normal",
        name: str = "encoder",
        seed: int | None = None,
        hooks: LayerHooks | None = None,
        segments: int = 0,
        embedding: int | None = None,
        first_position: int = 0,
        pooler_activation: str = "tanh",
        epsilon: float = 1e-12,
        switches: Switches = BERT,
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        self.vocabulary_size, self.layers = vocabulary_size, layers
        self.hidden, self.heads = hidden, heads
        # If hidden is not an integer, the check below raises for it.
        default = 4 * hidden if isinstance(hidden, Integral) else 1
        self.intermediate = default if intermediate is None else intermediate
        self.positions, self.segments, self.activation = positions, segments, activation
        self.dropout, self.attention_dropout, self.epsilon = dropout, attention_dropout, epsilon
        self.embedding = hidden if embedding is None else embedding
        self.first_position, self.pooler_activation = first_position, pooler_activation
        self.pooler, self.initial, self.pad_id, self.seed = pooler, initial, pad_id, seed
        self.hooks = LayerHooks() if hooks is None else hooks
        self.switches = switches
        self._check()
        self._add_parts()
        # Built here, not on the first call, so that the model around it cannot change the paths.
        self.build()

    def _check(self) -> None:
        bounds.integer(
            1,
            vocabulary_size=self.vocabulary_size,
            layers=self.layers,
            hidden=self.hidden,
            heads=self.heads,
            intermediate=self.intermediate,
            positions=self.positions,
            embedding=self.embedding,
        )
        bounds.integer(0, segments=self.segments, first_position=self.first_position)
        if self.hidden % self.heads:
            raise ValueError(
                f"`heads` must be a divisor of hidden={self.hidden}. Received: {self.heads}."
            )
        if self.pooler is not None:
            bounds.boolean(pooler=self.pooler)
        bounds.share(dropout=self.dropout, attention_dropout=self.attention_dropout)
        bounds.positive(epsilon=self.epsilon)
        bounds.choice(ACTIVATIONS, activation=self.activation)
        bounds.choice(("normal", "zeros"), initial=self.initial)
        bounds.optional_integer(0, pad_id=self.pad_id, seed=self.seed)

    def _add_parts(self) -> None:
        # From NumPy's global state, so that keras.utils.set_random_seed covers seed=None.
        seed = np.random.randint(2**31) if self.seed is None else self.seed
        seeds = np.random.default_rng(seed).integers(2**31, size=self.layers + 2)
        switches = self.switches
        common = {"hidden": self.hidden, "initial": self.initial, "dtype": self.dtype_policy}
        common["biases"] = switches.biases
        own = {"dropout": self.dropout, "epsilon": self.epsilon, "hooks": self.hooks, **common}
        self.embeddings = self._new_embeddings(seed=seeds[0], **own)
        self.blocks = [
            self._new_block(number, seed=seeds[2 + number], **own)
            for number in range(1 if switches.shared else self.layers)
        ]
        pool = {"activation": self.pooler_activation, "seed": seeds[1], **common}
        pool["epsilon"] = self.epsilon if switches.pooler_norm else None
        self.pool = Pooler(name="pooler", **pool) if self.pooler and switches.pooler else None

    def _new_embeddings(self, **settings: Any) -> Embeddings:
        switches = self.switches
        return Embeddings(
            name="embeddings",
            vocabulary_size=self.vocabulary_size,
            positions=self.positions if switches.absolute else 0,
            segments=self.segments,
            embedding=self.embedding,
            first_position=self.first_position,
            relative=self._relative_shape(),
            relative_norm=switches.relative is not None and switches.relative.is_projected,
            normalized=switches.embedding_norm,
            **settings,
        )

    def _new_block(self, number: int, **settings: Any) -> TransformerLayer:
        switches = self.switches
        return TransformerLayer(
            name=f"layer_{number}",
            heads=self.heads,
            intermediate=self.intermediate,
            activation=self.activation,
            attention_dropout=self.attention_dropout,
            gated=switches.gated,
            norm_first=switches.norm_first,
            is_first=number == 0 and switches.embedding_norm,
            is_last=number == self.layers - 1,
            window=switches.layer_window(number),
            relative=switches.relative,
            **settings,
        )

    def _relative_shape(self) -> tuple[int, int] | None:
        """Return the shape of the table of relative positions, or None."""
        relative = self.switches.relative
        if relative is None:
            return None
        return relative.rows, self.hidden if relative.is_projected else self.heads

    @property
    def stack(self) -> list[TransformerLayer]:
        """The layers in the order in which they run; a shared one is there several times."""
        return self.blocks * self.layers if self.switches.shared else list(self.blocks)

    def build(self, input_shape: Any = None) -> None:
        for part in (self.embeddings, *self.blocks, self.pool):
            if part is not None:
                part.build()

    @property
    def token_embedding(self) -> keras.Variable:
        """The embedding of the vocabulary, [vocabulary, embedding]."""
        return self.embeddings.token

    @property
    def causal(self) -> bool:
        """True if tokens attend only to those before them, so that the last stands for a text."""
        return self.switches.causal

    @property
    def is_fixed(self) -> bool:
        """True if all below the pooler computes the same function in every training step."""
        parts = (self.embeddings, *self.blocks)
        return not self.hooks.changes_outputs and all(part.is_fixed for part in parts)

    def call(
        self,
        token_ids: Tensor,
        padding_mask: Tensor = None,
        segment_ids: Tensor = None,
        embedding_offset: Tensor = None,
        starts: Tensor = None,
        every_token: bool = True,
        training: bool = False,
    ) -> dict[str, Tensor]:
        if padding_mask is None and starts is not None:
            padding_mask = ops.ones_like(token_ids)
        packing = None if starts is None else packing_from_starts(starts, ops.shape(token_ids)[1])
        places = self._places(token_ids, padding_mask, packing)
        inputs = token_ids, padding_mask, segment_ids, embedding_offset, packing, places
        last = self._states(*inputs, every_token=every_token, training=training)[-1]
        outputs = {}
        if packing is not None:
            outputs["membership"] = membership(packing, padding_mask)
        if every_token:
            outputs["sequence"], last = last, take_tokens(last, places)
        outputs["first"] = ops.reshape(last, (-1, self.hidden))
        if self.pooler:
            outputs["pooled"] = self.pooled(outputs["first"], training=training)
        return outputs

    def pooled(self, states: Tensor, training: bool = False) -> Tensor:
        """Return the pooler's output for the states of tokens, [texts, hidden]."""
        return states if self.pool is None else self.pool(states, training=training)

    def _places(self, token_ids: Tensor, padding_mask: Tensor, packing: Packing | None) -> Tensor:
        """Return the position of the token that stands for each text, as `take_tokens` has it."""
        if self.causal:
            return last_tokens(token_ids, padding_mask, packing)
        return first_tokens(token_ids, packing)

    def hidden_states(
        self, token_ids: Tensor, padding_mask: Tensor = None, segment_ids: Tensor = None
    ) -> list[Tensor]:
        """Return `layers` + 1 tensors [B, L, hidden]: the embeddings, then each layer's output."""
        return self._states(
            token_ids, padding_mask, segment_ids, None, None, None, every_token=True, training=False
        )

    def last_attention(
        self, token_ids: Tensor, padding_mask: Tensor = None, segment_ids: Tensor = None
    ) -> tuple[Tensor, Tensor]:
        """Return the last layer's attention probabilities and values, without dropout.

        Returns:
            [B, heads, L, L], and [B, heads, L, hidden / heads].

        Raises:
            ValueError: the layer attends to a window of tokens only.
        """
        layer = self.stack[-1]
        if layer.window:
            raise ValueError(f"the last layer attends to a window of {layer.window} tokens only")
        before = self.hidden_states(token_ids, padding_mask, segment_ids)[-2]
        table = self.embeddings.relative_table(False)
        attend = AttentionInputs(self.switches, layer.size, token_ids, None, table)
        attention = attend(padding_mask, None, None, one_token=False)
        read = layer.read(ops.reshape(before, (-1, self.hidden)), layer.attention_norm, False)
        query, key, value, bias = layer.project(read, attention, ops.shape(token_ids)[1], False)
        return probabilities(query, key, bias, attention.bias), value

    def _states(
        self,
        token_ids: Tensor,
        padding_mask: Tensor,
        segment_ids: Tensor,
        offset: Tensor,
        packing: Packing | None,
        places: Tensor,
        *,
        every_token: bool,
        training: bool,
    ) -> list[Tensor]:
        length = token_ids.shape[1]
        if length is not None and length > self.positions:
            raise ValueError(
                f"`token_ids` must be at most {self.positions} positions long. Received: {length}."
            )
        positions = None if packing is None else packing.positions
        inputs = token_ids, padding_mask, segment_ids, positions, offset
        states = [self.embeddings(*inputs, training=training)]
        table = self.embeddings.relative_table(training)
        size = self.hidden // self.heads
        attend = AttentionInputs(self.switches, size, token_ids, places, table)
        for number, layer in enumerate(self.stack):
            queries = None
            one_token = number == self.layers - 1 and not every_token
            if one_token:
                queries = take_tokens(states[-1], places)
            attention = attend(padding_mask, packing, layer.window, one_token=one_token)
            if training:
                x = self.hooks.run_layer(number, layer, states[-1], attention, queries)
            else:
                x = layer(states[-1], attention, queries, training=False)
            states.append(x)
        states[-1] = self.blocks[-1].finish(states[-1], training)
        return states
