"""ALBERT."""

import re
from typing import Any

import keras

from ftkeras.encoders import bert
from ftkeras.encoders._encoder import TransformerEncoder
from ftkeras.encoders._family import Family, MaskedLmHead, linear, norm, with_defaults
from ftkeras.encoders._switches import Switches
from ftkeras.support import bounds

FIELDS = (
    *with_defaults(
        bert.FIELDS,
        vocab_size=30000,
        hidden_size=4096,
        num_attention_heads=64,
        intermediate_size=16384,
        hidden_act="gelu_new",
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    ),
    ("embedding_size", "embedding", 128),
)
# The one layer, which is the only one of the only group.
_LAYER = "encoder.albert_layer_groups.0.albert_layers.0"


@keras.saving.register_keras_serializable(package="ftkeras")
class Albert(TransformerEncoder):
    """ALBERT: one layer that runs several times, and narrow embeddings.

    x_0 = norm(token + position + segment) P + p;  x_i = layer(x_{i-1})

    pooled = tanh(x_n[0] W + b)

    The hidden states and the pooled output are those of PyTorch's AlbertModel. In training,
    `dropout` also applies to the output of the feed-forward network, as in BERT. All runs share
    their weights, so policies see one layer: freezing or reinitializing it affects all runs. All
    published models, version 1 and 2, have this network. Models with several groups of layers are
    refused.
    Source: Lan et al., 2020, https://arxiv.org/abs/1909.11942.

    Args:
        layers: number of times that the layer runs; positive.
        positions: maximum number of tokens in a row (rows of the position embedding); positive.
        segments: number of segments (rows of the segment embedding); positive.
        embedding: width of the embeddings; positive, and not `hidden`.

    Other arguments, the call and the results are those of `TransformerEncoder`.

    >>> import numpy as np
    >>> encoder = Albert(
    ...     vocabulary_size=30, layers=2, hidden=8, heads=2, embedding=4, seed=1
    ... )
    >>> encoder(np.array([[2, 5, 7, 3]]))["sequence"].shape
    TensorShape([1, 4, 8])
    >>> len(encoder.blocks)
    1
    """

    family = Family(
        model_type="albert",
        classes={
            "encoder": "AlbertModel",
            "sequence_classification": "AlbertForSequenceClassification",
        },
        prefix="albert",
        fields=FIELDS,
        fixed={"num_hidden_groups": 1, "inner_group_num": 1, **bert.FIXED},
        written={"num_hidden_groups": 1, "inner_group_num": 1, **bert.WRITTEN},
        embeddings=(
            *bert.EMBEDDINGS,
            *linear("embeddings/projection_", "encoder.embedding_hidden_mapping_in"),
        ),
        layer=(
            *linear(
                "layer_#/attention_qkv_",
                f"{_LAYER}.attention.query",
                f"{_LAYER}.attention.key",
                f"{_LAYER}.attention.value",
            ),
            *linear("layer_#/attention_output_", f"{_LAYER}.attention.dense"),
            *norm("layer_#/attention_norm", f"{_LAYER}.attention.LayerNorm"),
            *linear("layer_#/intermediate_", f"{_LAYER}.ffn"),
            *linear("layer_#/output_", f"{_LAYER}.ffn_output"),
            *norm("layer_#/output_norm", f"{_LAYER}.full_layer_layer_norm"),
        ),
        pooler=linear("pooler/", "pooler"),
        masked_lm=MaskedLmHead(
            transform="predictions.dense", norm="predictions.LayerNorm", bias="predictions.bias"
        ),
        ignored=re.compile(
            r"(predictions|sop_classifier|classifier|qa_outputs)\.|embeddings\.position_ids$"
        ),
    )

    def __init__(
        self,
        *,
        layers: int = 12,
        hidden: int = 768,
        heads: int = 12,
        intermediate: int | None = None,
        embedding: int = 128,
        positions: int = 512,
        segments: int = 2,
        activation: str = "gelu_new",
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        epsilon: float = 1e-12,
        pad_id: int | None = 0,
        **kwargs: Any,
    ):
        bounds.integer(1, segments=segments)
        if embedding == hidden:
            raise ValueError(f"`embedding` must not be hidden={hidden}. Received: {embedding}.")
        super().__init__(
            layers=layers,
            hidden=hidden,
            heads=heads,
            intermediate=intermediate,
            embedding=embedding,
            positions=positions,
            segments=segments,
            activation=activation,
            dropout=dropout,
            attention_dropout=attention_dropout,
            epsilon=epsilon,
            pad_id=pad_id,
            switches=Switches(shared=True),
            **kwargs,
        )
