"""ModernBERT."""

import re
from collections.abc import Mapping
from typing import Any

import keras

from ftkeras.encoders._encoder import TransformerEncoder
from ftkeras.encoders._family import Family, MaskedLmHead, Rule
from ftkeras.encoders._switches import Switches
from ftkeras.encoders._weighted_layer import STANDARD_DEVIATION
from ftkeras.support import bounds

FIELDS = (
    ("vocab_size", "vocabulary_size", 50368),
    ("num_hidden_layers", "layers", 22),
    ("hidden_size", "hidden", 768),
    ("num_attention_heads", "heads", 12),
    ("intermediate_size", "intermediate", 1152),
    ("max_position_embeddings", "positions", 8192),
    ("hidden_activation", "activation", "gelu"),
    ("mlp_dropout", "dropout", 0.0),
    ("attention_dropout", "attention_dropout", 0.0),
    ("norm_eps", "epsilon", 1e-5),
    ("pad_token_id", "pad_id", 50283),
    ("local_attention", "window", 128),
    # The names of transformers 4, which version 5 reads too, but writes in another form.
    ("global_attn_every_n_layers", "global_every", 3),
    ("global_rope_theta", "global_base", 160000.0),
    ("local_rope_theta", "local_base", 10000.0),
)
_LAYER_TYPES = "full_attention", "sliding_attention"


def _kernel(variable: str, tensor: str) -> Rule:
    return Rule(variable, (f"{tensor}.weight",), transposed=True)


def _scale(variable: str, tensor: str) -> Rule:
    return Rule(f"{variable}_scale", (f"{tensor}.weight",))


@keras.saving.register_keras_serializable(package="ftkeras")
class Modernbert(TransformerEncoder):
    """ModernBERT: rotary positions, local attention in most layers, normalized inputs, no biases.

    x_0 = norm(token);  a_i = x_{i-1} + attention_i(norm(x_{i-1}))

    x_i = a_i + (activation(norm(a_i) W1) * (norm(a_i) W3)) W2;  pooled = norm(gelu(norm(x_n)[0] W))

    The first layer does not normalize its input again. The last of the hidden states is norm(x_n).
    The hidden states are those of PyTorch's ModernBertModel, and `pooled` with a classifier is
    ModernBertForSequenceClassification with classifier_pooling="cls".
    Source: Warner et al., 2024, https://arxiv.org/abs/2412.13663.

    Args:
        intermediate: width of the gated feed-forward network; positive, or None for 1.5 * hidden.
        positions: maximum number of tokens in a row; positive.
        window: in layers with local attention, tokens attend to window / 2 tokens on either side;
            even and positive.
        global_every: layers 0, n, 2 n and so on have global attention; positive.
        global_base: base of the rotary positions' angles in layers with global attention; positive.
        local_base: the same in layers with local attention.
        dropout: rate on embeddings and sub-layers' outputs, in [0, 1). (In transformers, it acts
            inside the feed-forward network instead, and `attention_dropout` after the attention.)

    Other arguments, the call and the results are those of `TransformerEncoder`.

    >>> import numpy as np
    >>> encoder = Modernbert(vocabulary_size=30, layers=2, hidden=8, heads=2, seed=1)
    >>> encoder(np.array([[2, 5, 7, 3]]))["sequence"].shape
    TensorShape([1, 4, 8])
    """

    family = Family(
        model_type="modernbert",
        classes={
            "encoder": "ModernBertModel",
            "sequence_classification": "ModernBertForSequenceClassification",
        },
        prefix="model",
        fields=FIELDS,
        fixed={
            "attention_bias": False,
            "mlp_bias": False,
            "norm_bias": False,
            "rope_scaling": None,
        },
        classifier_fixed={
            "classifier_pooling": "cls",
            "classifier_bias": False,
            "classifier_activation": "gelu",
        },
        written={"initializer_range": STANDARD_DEVIATION, "classifier_pooling": "cls"},
        embeddings=(
            Rule("embeddings/token_embedding", ("embeddings.tok_embeddings.weight",)),
            _scale("embeddings/norm", "embeddings.norm"),
        ),
        layer=(
            _kernel("layer_#/attention_qkv_kernel", "layers.#.attn.Wqkv"),
            _kernel("layer_#/attention_output_kernel", "layers.#.attn.Wo"),
            _kernel("layer_#/intermediate_kernel", "layers.#.mlp.Wi"),
            _kernel("layer_#/output_kernel", "layers.#.mlp.Wo"),
            _scale("layer_#/output_norm", "layers.#.mlp_norm"),
            # All layers but the first have this one, and only the last has the next.
            _scale("layer_#/attention_norm", "layers.#.attn_norm"),
            _scale("layer_#/final_norm", "final_norm"),
        ),
        pooler=(_kernel("pooler/kernel", "head.dense"), _scale("pooler/norm", "head.norm")),
        pooler_in_head=True,
        layers_of_tokens=True,
        vocabulary="byte_pair",
        masked_lm=MaskedLmHead(
            transform="head.dense", norm="head.norm", bias="decoder.bias", activation="gelu"
        ),
        ignored=re.compile(r"(decoder|classifier|head)\."),
    )

    def __init__(
        self,
        *,
        layers: int = 22,
        hidden: int = 768,
        heads: int = 12,
        intermediate: int | None = None,
        positions: int = 8192,
        window: int = 128,
        global_every: int = 3,
        global_base: float = 160000.0,
        local_base: float = 10000.0,
        activation: str = "gelu",
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        epsilon: float = 1e-5,
        pad_id: int | None = 50283,
        **kwargs: Any,
    ):
        bounds.integer(2, window=window)
        bounds.integer(1, global_every=global_every)
        bounds.positive(global_base=global_base, local_base=local_base)
        if window % 2:
            raise ValueError(f"`window` must be even. Received: {window}.")
        if isinstance(hidden, int) and isinstance(heads, int) and heads and hidden % (2 * heads):
            raise ValueError(
                f"`hidden` must be a multiple of 2 * heads={2 * heads}. Received: {hidden}."
            )
        if intermediate is None and isinstance(hidden, int):
            intermediate = hidden * 3 // 2
        self.window, self.global_every = window, global_every
        self.global_base, self.local_base = global_base, local_base
        super().__init__(
            layers=layers,
            hidden=hidden,
            heads=heads,
            intermediate=intermediate,
            positions=positions,
            activation=activation,
            pooler_activation="gelu",
            dropout=dropout,
            attention_dropout=attention_dropout,
            epsilon=epsilon,
            pad_id=pad_id,
            switches=Switches(
                biases=False,
                absolute=False,
                gated=True,
                norm_first=True,
                rotary=(global_base, local_base),
                window=window // 2,
                global_every=global_every,
                pooler_norm=True,
            ),
            **kwargs,
        )

    @classmethod
    def settings(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return constructor arguments from the content of a Hugging Face config.json.

        Raises:
            ValueError: this class does not implement that model.
        """
        settings = super().settings(_in_old_form(config))
        kinds = config.get("layer_types")
        if kinds is not None and len(kinds) != settings["layers"]:
            raise ValueError(
                f"`layer_types` must have num_hidden_layers={settings['layers']} entries. "
                f"Received: {len(kinds)}."
            )
        if (other := config.get("embedding_dropout", settings["dropout"])) != settings["dropout"]:
            raise ValueError(
                f"`embedding_dropout` must be mlp_dropout={settings['dropout']}. Received: {other}."
            )
        if settings["local_base"] is None:
            settings["local_base"] = settings["global_base"]
        return settings

    def huggingface_config(self) -> dict[str, Any]:
        """Return the content of config.json for transformers, without `architectures`."""
        kinds = [_LAYER_TYPES[layer.window is not None] for layer in self.blocks]
        bases = zip(_LAYER_TYPES, (self.global_base, self.local_base), strict=True)
        return {
            **super().huggingface_config(),
            "embedding_dropout": self.dropout,
            "layer_types": kinds,
            "rope_parameters": {
                kind: {"rope_theta": base, "rope_type": "default"} for kind, base in bases
            },
        }


def _in_old_form(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config.json with the fields of transformers 4 instead of those of version 5."""
    config = dict(config)
    if (kinds := config.pop("layer_types", None)) is not None:
        layers = range(len(kinds)) if isinstance(kinds, list) else ()
        patterns = {n: [_LAYER_TYPES[i % n > 0] for i in layers] for n in range(1, 100)}
        every = next((n for n, pattern in patterns.items() if pattern == kinds), None)
        if every is None:
            raise ValueError(
                "`layer_types` must have full_attention in every n-th layer from the first on, and "
                f"sliding_attention in the others. Received: {kinds!r}."
            )
        config["global_attn_every_n_layers"] = every
    ropes = config.pop("rope_parameters", None) or {}
    if not isinstance(ropes, Mapping) or not all(
        name in _LAYER_TYPES and isinstance(rope, Mapping) for name, rope in ropes.items()
    ):
        raise ValueError(
            f"`rope_parameters` must be settings for {' and '.join(_LAYER_TYPES)}. "
            f"Received: {ropes!r}."
        )
    for kind, field in zip(_LAYER_TYPES, ("global_rope_theta", "local_rope_theta"), strict=True):
        rope = ropes.get(kind, {})
        if (name := rope.get("rope_type", "default")) != "default":
            raise ValueError(f"`rope_type` must be 'default'. Received: {name!r}.")
        if "rope_theta" in rope:
            config[field] = rope["rope_theta"]
    return config
