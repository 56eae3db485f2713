"""ELECTRA."""

import re
from typing import Any

import keras

from ftkeras.encoders import bert
from ftkeras.encoders._encoder import TransformerEncoder
from ftkeras.encoders._family import Family, MaskedLmHead, linear, with_defaults
from ftkeras.support import bounds

FIELDS = (
    *with_defaults(bert.FIELDS, hidden_size=256, num_attention_heads=4, intermediate_size=1024),
    ("embedding_size", "embedding", 128),
)


@keras.saving.register_keras_serializable(package="ftkeras")
class Electra(TransformerEncoder):
    """ELECTRA's discriminator: BERT whose embeddings may be narrower than its states.

    x_0 = norm(token + position + segment) P + p;  x_i = layer_i(x_{i-1})

    pooled = gelu(x_n[0] W + b)

    The projection P exists only if `embedding` differs from `hidden`. The hidden states are those
    of PyTorch's ElectraModel, and `pooled` with a classifier is ElectraForSequenceClassification,
    except for one dropout before W in training.
    Source: Clark et al., 2020, https://arxiv.org/abs/2003.10555.

    Args:
        positions: maximum number of tokens in a row (rows of the position embedding); positive.
        segments: number of segments (rows of the segment embedding); positive.
        embedding: width of the embeddings; positive.

    Other arguments, the call and the results are those of `TransformerEncoder`.

    >>> import numpy as np
    >>> encoder = Electra(
    ...     vocabulary_size=30, layers=2, hidden=8, heads=2, embedding=4, seed=1
    ... )
    >>> encoder(np.array([[2, 5, 7, 3]]))["sequence"].shape
    TensorShape([1, 4, 8])
    """

    family = Family(
        model_type="electra",
        classes={
            "encoder": "ElectraModel",
            "sequence_classification": "ElectraForSequenceClassification",
        },
        prefix="electra",
        fields=FIELDS,
        fixed=bert.FIXED,
        written=bert.WRITTEN,
        embeddings=(
            *bert.EMBEDDINGS,
            *linear("embeddings/projection_", "embeddings_project"),
        ),
        layer=bert.LAYER,
        pooler=linear("pooler/", "classifier.dense"),
        pooler_in_head=True,
        classifier="classifier.out_proj",
        masked_lm=MaskedLmHead(
            transform="generator_predictions.dense",
            norm="generator_predictions.LayerNorm",
            bias="generator_lm_head.bias",
            activation="gelu",
        ),
        ignored=re.compile(
            r"(discriminator_predictions|generator_predictions|generator_lm_head|classifier"
            r"|qa_outputs|sequence_summary)\.|embeddings\.position_ids$"
        ),
    )

    def __init__(
        self,
        *,
        layers: int = 12,
        hidden: int = 256,
        heads: int = 4,
        intermediate: int | None = None,
        embedding: int = 128,
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
            embedding=embedding,
            positions=positions,
            segments=segments,
            activation=activation,
            pooler_activation="gelu",
            dropout=dropout,
            attention_dropout=attention_dropout,
            epsilon=epsilon,
            pad_id=pad_id,
            **kwargs,
        )
