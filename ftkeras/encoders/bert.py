"""BERT."""

import re
from typing import Any

import keras

from ftkeras.encoders._encoder import TransformerEncoder
from ftkeras.encoders._family import Family, MaskedLmHead, Rule, linear, norm
from ftkeras.encoders._weighted_layer import STANDARD_DEVIATION
from ftkeras.support import bounds

EMBEDDINGS = (
    Rule("embeddings/token_embedding", ("embeddings.word_embeddings.weight",)),
    Rule("embeddings/position_embedding", ("embeddings.position_embeddings.weight",)),
    Rule("embeddings/segment_embedding", ("embeddings.token_type_embeddings.weight",)),
    *norm("embeddings/norm", "embeddings.LayerNorm"),
)
LAYER = (
    *linear(
        "layer_#/attention_qkv_",
        "encoder.layer.#.attention.self.query",
        "encoder.layer.#.attention.self.key",
        "encoder.layer.#.attention.self.value",
    ),
    *linear("layer_#/attention_output_", "encoder.layer.#.attention.output.dense"),
    *norm("layer_#/attention_norm", "encoder.layer.#.attention.output.LayerNorm"),
    *linear("layer_#/intermediate_", "encoder.layer.#.intermediate.dense"),
    *linear("layer_#/output_", "encoder.layer.#.output.dense"),
    *norm("layer_#/output_norm", "encoder.layer.#.output.LayerNorm"),
)
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
FIXED = {"position_embedding_type": "absolute", "is_decoder": False}
WRITTEN = {"position_embedding_type": "absolute", "initializer_range": STANDARD_DEVIATION}


@keras.saving.register_keras_serializable(package="ftkeras")
class Bert(TransformerEncoder):
    """BERT: the network of PyTorch's BertModel, with the same hidden states.

    x_0 = norm(token + position + segment);  x_i = layer_i(x_{i-1});  pooled = tanh(x_n[0] W + b)

    Source: Devlin et al., 2019, https://arxiv.org/abs/1810.04805.

    Args:
        positions: maximum number of tokens in a row (rows of the position embedding); positive.
        segments: number of segments (rows of the segment embedding); positive.

    Other arguments, the call and the results are those of `TransformerEncoder`.

    >>> import numpy as np
    >>> encoder = Bert(vocabulary_size=30, layers=2, hidden=8, heads=2, seed=1)
    >>> outputs = encoder(np.array([[2, 5, 7, 3]]))
    >>> outputs["sequence"].shape, outputs["pooled"].shape
    (TensorShape([1, 4, 8]), TensorShape([1, 8]))
    """

    family = Family(
        model_type="bert",
        classes={
            "encoder": "BertModel",
            "sequence_classification": "BertForSequenceClassification",
        },
        prefix="bert",
        fields=FIELDS,
        fixed=FIXED,
        written=WRITTEN,
        embeddings=EMBEDDINGS,
        layer=LAYER,
        pooler=linear("pooler/", "pooler.dense"),
        masked_lm=MaskedLmHead(
            transform="cls.predictions.transform.dense",
            norm="cls.predictions.transform.LayerNorm",
            bias="cls.predictions.bias",
        ),
        # Heads of pretraining or of another task, and an index that is not a weight.
        ignored=re.compile(r"(cls|classifier|qa_outputs)\.|embeddings\.position_ids$"),
    )

    def __init__(
        self,
        *,
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
        pad_id: int | None = 0,
        **kwargs: Any,
    ):
        bounds.integer(1, segments=segments)
        super().__init__(
            layers=layers,
            hidden=hidden,
            heads=heads,
            intermediate=intermediate,
            positions=positions,
            segments=segments,
            activation=activation,
            dropout=dropout,
            attention_dropout=attention_dropout,
            epsilon=epsilon,
            pad_id=pad_id,
            **kwargs,
        )
