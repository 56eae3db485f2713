"""RoBERTa."""

import re
from collections.abc import Mapping
from typing import Any

import keras

from ftkeras.encoders import bert
from ftkeras.encoders._encoder import TransformerEncoder
from ftkeras.encoders._family import Family, MaskedLmHead, linear, with_defaults
from ftkeras.support import bounds


@keras.saving.register_keras_serializable(package="ftkeras")
class Roberta(TransformerEncoder):
    """RoBERTa: BERT whose positions start after the padding token's id.

    x_0 = norm(token + position[pad_id + 1 + i] + segment);  x_i = layer_i(x_{i-1})

    pooled = tanh(x_n[0] W + b)

    The hidden states are those of PyTorch's RobertaModel, and `pooled` with a classifier is
    RobertaForSequenceClassification, except for one dropout before W in training. The pooler of
    RobertaModel itself, which most checkpoints lack, is not used.
    Source: Liu et al., 2019, https://arxiv.org/abs/1907.11692.

    Args:
        positions: maximum number of tokens in a row; positive. The position embedding has pad_id +
            1 more rows, so 512 is max_position_embeddings=514 in config.json.
        segments: number of segments (rows of the segment embedding); positive. Only the first is
            used.
        pad_id: the padding token's id; at least 0.

    Other arguments, the call and the results are those of `TransformerEncoder`.

    >>> import numpy as np
    >>> encoder = Roberta(vocabulary_size=30, layers=2, hidden=8, heads=2, seed=1)
    >>> encoder(np.array([[0, 5, 7, 2]]))["sequence"].shape
    TensorShape([1, 4, 8])
    """

    family = Family(
        model_type="roberta",
        classes={
            "encoder": "RobertaModel",
            "sequence_classification": "RobertaForSequenceClassification",
        },
        prefix="roberta",
        fields=with_defaults(bert.FIELDS, vocab_size=50265, pad_token_id=1),
        fixed=bert.FIXED,
        written=bert.WRITTEN,
        embeddings=bert.EMBEDDINGS,
        layer=bert.LAYER,
        pooler=linear("pooler/", "classifier.dense"),
        pooler_in_head=True,
        classifier="classifier.out_proj",
        vocabulary="byte_pair",
        masked_lm=MaskedLmHead(
            transform="lm_head.dense",
            norm="lm_head.layer_norm",
            bias="lm_head.bias",
            activation="gelu",
        ),
        ignored=re.compile(r"(lm_head|classifier|qa_outputs|pooler)\.|embeddings\.position_ids$"),
    )

    def __init__(
        self,
        *,
        layers: int = 12,
        hidden: int = 768,
        heads: int = 12,
        intermediate: int | None = None,
        positions: int = 512,
        segments: int = 1,
        activation: str = "gelu",
        dropout: float = 0.1,
        attention_dropout: float = 0.1,
        epsilon: float = 1e-5,
        pad_id: int = 1,
        **kwargs: Any,
    ):
        bounds.integer(1, segments=segments)
        bounds.integer(0, pad_id=pad_id)
        super().__init__(
            layers=layers,
            hidden=hidden,
            heads=heads,
            intermediate=intermediate,
            positions=positions,
            first_position=pad_id + 1,
            segments=segments,
            activation=activation,
            dropout=dropout,
            attention_dropout=attention_dropout,
            epsilon=epsilon,
            pad_id=pad_id,
            **kwargs,
        )

    @classmethod
    def settings(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return constructor arguments from the content of a Hugging Face config.json.

        Raises:
            ValueError: this class does not implement that model.
        """
        settings = super().settings(config)
        bounds.integer(0, pad_token_id=settings["pad_id"])
        bounds.integer(settings["pad_id"] + 2, max_position_embeddings=settings["positions"])
        return {**settings, "positions": settings["positions"] - settings["pad_id"] - 1}
