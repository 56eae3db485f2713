"""DistilBERT."""

import re
from typing import Any

import keras

from ftkeras.encoders._encoder import TransformerEncoder
from ftkeras.encoders._family import Family, MaskedLmHead, Rule, linear, norm
from ftkeras.encoders._weighted_layer import STANDARD_DEVIATION


@keras.saving.register_keras_serializable(package="ftkeras")
class DistilBert(TransformerEncoder):
    """DistilBERT: half of BERT's layers, without segments.

    x_0 = norm(token + position);  x_i = layer_i(x_{i-1});  pooled = relu(x_n[0] W + b)

    The hidden states are those of PyTorch's DistilBertModel, and `pooled` with a classifier is
    DistilBertForSequenceClassification, whose `pre_classifier` is W and b. In training, `dropout`
    also applies to the output of the attention, as in BERT.
    Source: Sanh et al., 2019, https://arxiv.org/abs/1910.01108.

    Args:
        positions: maximum number of tokens in a row (rows of the position embedding); positive.

    Other arguments, the call and the results are those of `TransformerEncoder`.

    >>> import numpy as np
    >>> encoder = DistilBert(vocabulary_size=30, layers=2, hidden=8, heads=2, seed=1)
    >>> encoder(np.array([[2, 5, 7, 3]]))["sequence"].shape
    TensorShape([1, 4, 8])
    """

    family = Family(
        model_type="distilbert",
        classes={
            "encoder": "DistilBertModel",
            "sequence_classification": "DistilBertForSequenceClassification",
        },
        prefix="distilbert",
        fields=(
            ("vocab_size", "vocabulary_size", 30522),
            ("n_layers", "layers", 6),
            ("dim", "hidden", 768),
            ("n_heads", "heads", 12),
            ("hidden_dim", "intermediate", 3072),
            ("max_position_embeddings", "positions", 512),
            ("activation", "activation", "gelu"),
            ("dropout", "dropout", 0.1),
            ("attention_dropout", "attention_dropout", 0.1),
            ("pad_token_id", "pad_id", 0),
        ),
        written={"initializer_range": STANDARD_DEVIATION},
        embeddings=(
            Rule("embeddings/token_embedding", ("embeddings.word_embeddings.weight",)),
            Rule("embeddings/position_embedding", ("embeddings.position_embeddings.weight",)),
            *norm("embeddings/norm", "embeddings.LayerNorm"),
        ),
        layer=(
            *linear(
                "layer_#/attention_qkv_",
                "transformer.layer.#.attention.q_lin",
                "transformer.layer.#.attention.k_lin",
                "transformer.layer.#.attention.v_lin",
            ),
            *linear("layer_#/attention_output_", "transformer.layer.#.attention.out_lin"),
            *norm("layer_#/attention_norm", "transformer.layer.#.sa_layer_norm"),
            *linear("layer_#/intermediate_", "transformer.layer.#.ffn.lin1"),
            *linear("layer_#/output_", "transformer.layer.#.ffn.lin2"),
            *norm("layer_#/output_norm", "transformer.layer.#.output_layer_norm"),
        ),
        pooler=linear("pooler/", "pre_classifier"),
        pooler_in_head=True,
        masked_lm=MaskedLmHead(
            transform="vocab_transform", norm="vocab_layer_norm", bias="vocab_projector.bias"
        ),
        ignored=re.compile(
            r"(vocab_transform|vocab_layer_norm|vocab_projector|classifier|qa_outputs)\."
            r"|embeddings\.position_ids$"
        ),
    )

    def __init__(
        self,
        *,
        layers: int = 6,
        hidden: int = 768,
        heads: int = 12,
        intermediate: int | None = None,
        positions: int = 512,
        activation: str = "gelu",
        dropout: float = 0.1,
        attention_dropout: float = 0.1,
        pad_id: int | None = 0,
        **kwargs: Any,
    ):
        super().__init__(
            layers=layers,
            hidden=hidden,
            heads=heads,
            intermediate=intermediate,
            positions=positions,
            activation=activation,
            pooler_activation="relu",
            dropout=dropout,
            attention_dropout=attention_dropout,
            pad_id=pad_id,
            **kwargs,
        )
