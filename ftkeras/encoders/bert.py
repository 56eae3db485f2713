"""BERT: the network, its settings, and the way from and to a Hugging Face checkpoint."""

from collections.abc import Mapping
from numbers import Integral, Real

import keras
import numpy as np
from keras import ops

from ftkeras.encoders import _bert_weights
from ftkeras.encoders._transformer import (
    ACTIVATIONS,
    STANDARD_DEVIATION,
    Embeddings,
    Pooler,
    TransformerLayer,
    apart,
    first_of,
    packing_of,
    score_bias_of,
)
from ftkeras.support.layer_hooks import LayerHooks

# config.json's field, the constructor's argument, what BertConfig takes where the field is absent.
FIELDS = (
    ("vocab_size", "vocabulary_size", 30522),
    ("num_hidden_layers", "layers", 12),
    ("hidden_size", "hidden", 768),
    ("num_attention_heads", "heads", 12),
    ("intermediate_size", "intermediate", 3072),
    ("max_position_embeddings", "positions", 512),
    ("type_vocab_size", "segments", 2),
    ("hidden_act", "activation", "gelu"),
    ("hidden_dropout_prob", "dropout", 0.1),
    ("attention_probs_dropout_prob", "attention_dropout", 0.1),
    ("layer_norm_eps", "epsilon", 1e-12),
    ("pad_token_id", "pad_id", 0),
)
COUNTS = ("vocabulary_size", "layers", "hidden", "heads", "intermediate", "positions", "segments")


@keras.saving.register_keras_serializable(package="ftkeras")
class Bert(keras.layers.Layer):
    """Bidirectional Transformer encoder; its hidden states equal PyTorch's BertModel.

    x_0 = norm(token + position + segment);  x_i = layer_i(x_{i-1});  pooled = tanh(x_n[0] W + b)

    Source: Devlin et al., 2019, https://arxiv.org/abs/1810.04805.

    Args:
        vocabulary_size, layers, hidden, heads: counts, positive; `heads` divides `hidden`.
        intermediate: width of the feed-forward network; 4 * hidden where None.
        positions, segments: rows of the position and segment embeddings; positive.
        activation: gelu (exact), gelu_new, gelu_pytorch_tanh, relu, silu or swish.
        dropout, attention_dropout: rates in [0, 1), of states and of attention probabilities.
        epsilon: added to the variance in layer normalization; positive.
        pooler: whether there is a pooled output.
        initial: "normal" (truncated, sd 0.02), or "zeros" where a checkpoint follows.
        pad_id: the padding token's id, kept for config.json only; what is padding the mask says.
        seed: integer that fixes initial weights and dropout, or None.
        hooks: where policies and regularizers act inside the encoder; a new one for None.

    Call: token_ids [B, L] integers, padding_mask [B, L] (1 token, 0 padding; None: all tokens),
        segment_ids [B, L] integers (None: all 0), embedding_offset [B, L, hidden], added to the
        embeddings before they are normalized (None: nothing), starts [B, T] integers, where T texts
        of a row start that stand end to end, each computed as if it stood alone (None: one text),
        every_token, whether the states of all tokens are asked for
        -> {"sequence": [B, L, hidden], "first": [B, hidden], "pooled": [B, hidden]}, the last only
        with a pooler, "first" the states of first tokens; with starts, "first" and "pooled" are
        [B * T, hidden], and "membership" [B, T, L] is true for a text's tokens. Where not every
        token is asked for there is no "sequence", and the last layer computes first tokens alone,
        which saves nearly all of its work.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    model_type = "bert"

    def __init__(
        self,
        *,
        vocabulary_size: int,
        layers: int = 12,
        hidden: int = 768,
        heads: int = 12,
        intermediate: int | None = None,
        positions: int = 512,
        segments: int = 2,
        activation: str = "gelu",
        dropout: float = 0.1,
        attention_dropout: float = 0.1,
        epsilon: float = 1e-12,
        pooler: bool = True,
        initial: str = "normal",
        pad_id: int | None = 0,
        name: str = "encoder",
        seed: int | None = None,
        hooks: LayerHooks | None = None,
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        self.vocabulary_size, self.layers = vocabulary_size, layers
        self.hidden, self.heads = hidden, heads
        # Where hidden is no number the check below says so.
        wide = intermediate is None and _whole(hidden)
        self.intermediate = 4 * hidden if wide else intermediate
        self.positions, self.segments, self.activation = positions, segments, activation
        self.dropout, self.attention_dropout, self.epsilon = dropout, attention_dropout, epsilon
        self.pooler, self.initial, self.pad_id, self.seed = pooler, initial, pad_id, seed
        self.hooks = LayerHooks() if hooks is None else hooks
        self._check()
        self._add_parts()
        # Built here, not on first call: variable paths then never depend on the model around it.
        self.build()

    def _check(self):
        for name in COUNTS:
            value = getattr(self, name)
            _require(_whole(value) and value > 0, name, "a positive integer", value)
        divides = self.hidden % self.heads == 0
        _require(divides, "heads", f"a divisor of hidden={self.hidden}", self.heads)
        for name in ("dropout", "attention_dropout"):
            value = getattr(self, name)
            _require(_real(value) and 0 <= value < 1, name, "at least 0 and below 1", value)
        _require(_real(self.epsilon) and self.epsilon > 0, "epsilon", "positive", self.epsilon)
        for name, choices in (("activation", ACTIVATIONS), ("initial", ("normal", "zeros"))):
            value = getattr(self, name)
            known = isinstance(value, str) and value in choices
            _require(known, name, f"one of {', '.join(choices)}", value)
        for name in ("pad_id", "seed"):
            value = getattr(self, name)
            fits = value is None or (_whole(value) and value >= 0)
            _require(fits, name, "None or an integer of at least 0", value)

    def _add_parts(self):
        # NumPy's global state, so that keras.utils.set_random_seed covers an unseeded encoder.
        seed = np.random.randint(2**31) if self.seed is None else self.seed
        seeds = np.random.default_rng(seed).integers(2**31, size=self.layers + 2)
        common = {"hidden": self.hidden, "initial": self.initial, "dtype": self.dtype_policy}
        hooked = {**common, "hooks": self.hooks}
        rates = {"dropout": self.dropout, "epsilon": self.epsilon}
        self.embeddings = Embeddings(
            name="embeddings",
            seed=seeds[0],
            vocabulary_size=self.vocabulary_size,
            positions=self.positions,
            segments=self.segments,
            **rates,
            **hooked,
        )
        self.blocks = [
            TransformerLayer(
                name=f"layer_{number}",
                seed=seeds[2 + number],
                heads=self.heads,
                intermediate=self.intermediate,
                activation=self.activation,
                attention_dropout=self.attention_dropout,
                **rates,
                **hooked,
            )
            for number in range(self.layers)
        ]
        self.pool = Pooler(name="pooler", seed=seeds[1], **common) if self.pooler else None

    def build(self, input_shape=None):
        for part in (self.embeddings, *self.blocks, *([self.pool] if self.pooler else [])):
            part.build()

    @property
    def is_fixed(self) -> bool:
        """Whether all below the pooler computes the same in every step of training."""
        parts = (self.embeddings, *self.blocks)
        return not self.hooks.changes_outputs and all(part.is_fixed for part in parts)

    def call(
        self,
        token_ids,
        padding_mask=None,
        segment_ids=None,
        embedding_offset=None,
        starts=None,
        every_token=True,
        training=False,
    ):
        if padding_mask is None and starts is not None:
            padding_mask = ops.ones_like(token_ids)
        packing = None if starts is None else packing_of(starts, ops.shape(token_ids)[1])
        inputs = token_ids, padding_mask, segment_ids, embedding_offset, packing
        last = self._states(*inputs, every_token=every_token, training=training)[-1]
        outputs = {}
        if packing is not None:
            outputs["membership"] = _membership(packing.texts, padding_mask, ops.shape(starts)[1])
        if every_token:
            outputs["sequence"], last = last, first_of(last, packing)
        outputs["first"] = ops.reshape(last, (-1, self.hidden))
        if self.pooler:
            outputs["pooled"] = self.pool(outputs["first"])
        return outputs

    def hidden_states(self, token_ids, padding_mask=None, segment_ids=None) -> list:
        """`layers` + 1 tensors [B, L, hidden], the embeddings first."""
        return self._states(
            token_ids, padding_mask, segment_ids, None, None, every_token=True, training=False
        )

    def _states(
        self, token_ids, padding_mask, segment_ids, offset, packing, *, every_token, training
    ):
        length = token_ids.shape[1]
        _require(
            length is None or length <= self.positions,
            "token_ids",
            f"at most {self.positions} positions long",
            f"length {length}",
        )
        places = None if packing is None else packing.places
        states = [
            self.embeddings(token_ids, padding_mask, segment_ids, places, offset, training=training)
        ]
        padding = None if padding_mask is None else score_bias_of(padding_mask)
        bias = padding if packing is None else apart(padding, packing.texts, packing.texts)
        whole = self.layers if every_token else self.layers - 1
        for number in range(whole):
            states.append(self._layer(number, states[-1], bias, None, training))
        if not every_token:
            if packing is not None:
                bias = apart(padding, packing.texts, first_of(packing.texts, packing))
            asked = first_of(states[-1], packing)
            states.append(self._layer(whole, states[-1], bias, asked, training))
        return states

    def _layer(self, number, before, score_bias, asked, training):
        """A layer's states, of the positions that are asked for alone, if some are."""
        block = self.blocks[number]
        if training:
            return self.hooks.run_layer(number, block, before, score_bias, asked)
        return block(before, score_bias, asked, training=False)

    def get_config(self):
        ours = [argument for _, argument, _ in FIELDS]
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in (*ours, "pooler", "initial", "seed")},
        }

    @classmethod
    def settings(cls, config: Mapping) -> dict:
        """Constructor arguments from the content of a Hugging Face config.json.

        Raises:
            ValueError: for a model that this class does not compute.
        """
        for field, wanted in (
            ("model_type", cls.model_type),
            ("position_embedding_type", "absolute"),
            ("is_decoder", False),
        ):
            value = config.get(field, wanted)
            _require(value == wanted, field, repr(wanted), value)
        activation = config.get("hidden_act", "gelu")
        known = isinstance(activation, str) and activation in ACTIVATIONS
        choices = f"one of {', '.join(ACTIVATIONS)}"
        _require(known, "hidden_act", choices, activation)
        return {ours: config.get(theirs, default) for theirs, ours, default in FIELDS}

    def huggingface_config(self) -> dict:
        """The content of config.json, as BertConfig has it, without `architectures`."""
        return {
            **{theirs: getattr(self, ours) for theirs, ours, _ in FIELDS},
            "model_type": self.model_type,
            "position_embedding_type": "absolute",
            "initializer_range": STANDARD_DEVIATION,
        }

    def load(self, tensors: Mapping[str, np.ndarray], *, source: str = "the checkpoint") -> list:
        """Take a Hugging Face checkpoint's weights; returns names of tensors newly initialized.

        A checkpoint without a pooler is no error: where this encoder has one, it starts from a
        normal distribution, and its names are what is returned.

        Raises:
            UserError: naming missing or unexpected tensors, or a shape that does not fit.
        """
        return _bert_weights.load(
            self._variables(), self._rules(), tensors, source=source, start=self._start_pooler
        )

    def tensors(self) -> dict[str, np.ndarray]:
        """The weights under the names and in the shapes that Hugging Face's BertModel has."""
        variables, tensors = self._variables(), {}
        for rule in self._rules():
            tensors.update(rule.split(ops.convert_to_numpy(variables[rule.variable])))
        return tensors

    def _rules(self):
        return list(_bert_weights.rules(self.layers, self.pooler))

    def _variables(self):
        return {weight.path.removeprefix(f"{self.path}/"): weight for weight in self.weights}

    def _start_pooler(self, path):
        variable = self._variables()[path]
        initializer = self.pool.normal() if path.endswith("kernel") else keras.initializers.Zeros()
        variable.assign(initializer(variable.shape, dtype=variable.dtype))


def _membership(texts, padding_mask, count):
    """[batch, count, length], true where a token is of that text of its row."""
    own = ops.equal(texts[:, None, :], ops.arange(count, dtype=texts.dtype)[None, :, None])
    return ops.logical_and(own, ops.cast(padding_mask, "bool")[:, None, :])


def _require(holds, name, bound, value):
    if not holds:
        raise ValueError(f"`{name}` must be {bound}. Received: {value}.")


def _whole(value):
    return isinstance(value, Integral) and not isinstance(value, bool)


def _real(value):
    return isinstance(value, Real) and not isinstance(value, bool)
