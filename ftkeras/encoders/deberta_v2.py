"""DeBERTa-v2 and v3."""

import re
from collections.abc import Mapping
from typing import Any

import keras

from ftkeras.encoders import bert
from ftkeras.encoders._embeddings import POOLER_ACTIVATIONS
from ftkeras.encoders._encoder import TransformerEncoder
from ftkeras.encoders._family import Family, MaskedLmHead, Rule, linear, norm
from ftkeras.encoders._relative import Disentangled
from ftkeras.encoders._switches import Switches
from ftkeras.encoders._weighted_layer import STANDARD_DEVIATION
from ftkeras.support import bounds

FIELDS = (
    ("vocab_size", "vocabulary_size", 128100),
    ("num_hidden_layers", "layers", 24),
    ("hidden_size", "hidden", 1536),
    ("num_attention_heads", "heads", 24),
    ("intermediate_size", "intermediate", 6144),
    ("max_position_embeddings", "positions", 512),
    ("type_vocab_size", "segments", 0),
    ("position_biased_input", "absolute", True),
    ("position_buckets", "buckets", -1),
    ("max_relative_positions", "furthest", -1),
    ("hidden_act", "activation", "gelu"),
    ("pooler_hidden_act", "pooler_activation", "gelu"),
    ("hidden_dropout_prob", "dropout", 0.1),
    ("attention_probs_dropout_prob", "attention_dropout", 0.1),
    ("layer_norm_eps", "epsilon", 1e-7),
    ("pad_token_id", "pad_id", 0),
)
# What transformers takes if the field is missing, and what is implemented.
_REQUIRED = {
    "relative_attention": (False, True),
    "share_att_key": (False, True),
    "norm_rel_ebd": ("none", "layer_norm"),
    "conv_kernel_size": (0, 0),
}
_POSITIONS = ["p2c", "c2p"]


@keras.saving.register_keras_serializable(package="ftkeras")
class DebertaV2(TransformerEncoder):
    """DeBERTa-v2 and v3: attention between contents and relative positions.

    x_0 = norm(token);  x_i = layer_i(x_{i-1});  pooled = gelu(x_n[0] W + b)

    s_ij = (q_i k_j' + q_i K(r)' + k_j Q(r)') / sqrt(3 d),  r = i - j

    where Q(r) and K(r) are the query and the key that a layer computes from row r of a normalized
    table. All layers share this table, which belongs to the embeddings. The hidden states are those
    of PyTorch's DebertaV2Model, and `pooled` with a classifier is
    DebertaV2ForSequenceClassification. The published v3 models, small to large, and mDeBERTa have
    this network; v2-xlarge and v2-xxlarge, which have a convolution, are refused.
    Source: He et al., 2021, https://arxiv.org/abs/2111.09543.

    Args:
        positions: maximum number of tokens in a row; positive.
        segments: number of segments (rows of the segment embedding); 0 for none.
        absolute: whether positions are also added to the embeddings, as in BERT.
        buckets: number of rows of the table for keys before the query, and also for keys after it.
            Half of them are for one distance each; the others cover distances that grow with the
            logarithm. 0 or less for one row per distance.
        furthest: the distance at which the buckets end, at least buckets / 2 + 2 if texts may be
            that long; `positions` if less than 1.
        pooler_activation: tanh, relu or gelu.

    Other arguments, the call and the results are those of `TransformerEncoder`.

    >>> import numpy as np
    >>> encoder = DebertaV2(vocabulary_size=30, layers=2, hidden=8, heads=2, seed=1)
    >>> encoder(np.array([[1, 5, 7, 2]]))["sequence"].shape
    TensorShape([1, 4, 8])
    """

    family = Family(
        model_type="deberta-v2",
        classes={
            "encoder": "DebertaV2Model",
            "sequence_classification": "DebertaV2ForSequenceClassification",
        },
        prefix="deberta",
        fields=FIELDS,
        written={
            "relative_attention": True,
            "share_att_key": True,
            "norm_rel_ebd": "layer_norm",
            "pos_att_type": _POSITIONS,
            "initializer_range": STANDARD_DEVIATION,
        },
        embeddings=(
            *bert.EMBEDDINGS,
            Rule("embeddings/relative_embedding", ("encoder.rel_embeddings.weight",)),
            *norm("embeddings/relative_norm", "encoder.LayerNorm"),
        ),
        layer=(
            *linear(
                "layer_#/attention_qkv_",
                "encoder.layer.#.attention.self.query_proj",
                "encoder.layer.#.attention.self.key_proj",
                "encoder.layer.#.attention.self.value_proj",
            ),
            *bert.LAYER[2:],
        ),
        pooler=linear("pooler/", "pooler.dense"),
        pooler_in_head=True,
        masked_lm=MaskedLmHead(
            transform="cls.predictions.transform.dense",
            norm="cls.predictions.transform.LayerNorm",
            bias="cls.predictions.bias",
        ),
        # Checkpoints without absolute positions have their embedding all the same.
        ignored=re.compile(
            r"(cls|lm_predictions|mask_predictions|classifier|qa_outputs)\."
            r"|embeddings\.(position_ids|position_embeddings\.weight)$"
        ),
    )

    def __init__(
        self,
        *,
        layers: int = 12,
        hidden: int = 768,
        heads: int = 12,
        intermediate: int | None = None,
        positions: int = 512,
        segments: int = 0,
        absolute: bool = False,
        buckets: int = 256,
        furthest: int = -1,
        activation: str = "gelu",
        pooler_activation: str = "gelu",
        dropout: float = 0.1,
        attention_dropout: float = 0.1,
        epsilon: float = 1e-7,
        pad_id: int | None = 0,
        **kwargs: Any,
    ):
        bounds.boolean(absolute=absolute)
        bounds.integer(-1, buckets=buckets, furthest=furthest)
        bounds.choice(POOLER_ACTIVATIONS, pooler_activation=pooler_activation)
        if 0 < buckets < 4:
            raise ValueError(f"`buckets` must be at least 4, or 0 for none. Received: {buckets}.")
        end, least = positions if furthest < 1 else furthest, buckets // 2 + 2
        if buckets > 0 and end < least <= positions:
            raise ValueError(
                f"`furthest` must be at least {least} with `buckets`={buckets}, half of which are "
                f"for one distance each. Received: {end}."
            )
        self.absolute, self.buckets, self.furthest = absolute, buckets, furthest
        relative = Disentangled(positions, max(0, buckets), end)
        super().__init__(
            layers=layers,
            hidden=hidden,
            heads=heads,
            intermediate=intermediate,
            positions=positions,
            segments=segments,
            activation=activation,
            pooler_activation=pooler_activation,
            dropout=dropout,
            attention_dropout=attention_dropout,
            epsilon=epsilon,
            pad_id=pad_id,
            switches=Switches(relative=relative, absolute=absolute),
            **kwargs,
        )

    @classmethod
    def settings(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return constructor arguments from the content of a Hugging Face config.json.

        Raises:
            ValueError: this class does not implement that model.
        """
        for field, (default, wanted) in _REQUIRED.items():
            if (value := config.get(field, default)) != wanted:
                raise ValueError(f"`{field}` must be {wanted!r}. Received: {value!r}.")
        settings = super().settings(config)
        given = config.get("pos_att_type") or []
        kinds = given.split("|") if isinstance(given, str) else given
        if not isinstance(kinds, list) or {str(kind).strip() for kind in kinds} != set(_POSITIONS):
            raise ValueError(f"`pos_att_type` must be 'p2c|c2p'. Received: {given!r}.")
        for field in ("embedding_size", "pooler_hidden_size", "attention_head_size"):
            wanted = settings["hidden"]
            if field == "attention_head_size":
                wanted //= settings["heads"]
            if (value := config.get(field, wanted)) != wanted:
                raise ValueError(f"`{field}` must be {wanted}. Received: {value}.")
        return settings
