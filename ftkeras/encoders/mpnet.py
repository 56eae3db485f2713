"""MPNet."""

import re
from collections.abc import Mapping
from typing import Any

import keras

from ftkeras.encoders import bert
from ftkeras.encoders._encoder import TransformerEncoder
from ftkeras.encoders._family import Family, MaskedLmHead, Rule, linear, norm, with_defaults
from ftkeras.encoders._relative import ScoreBias
from ftkeras.encoders._switches import Switches
from ftkeras.encoders._weighted_layer import STANDARD_DEVIATION
from ftkeras.support import bounds

# Its position embedding has two rows that no token uses.
FIRST_POSITION = 2


@keras.saving.register_keras_serializable(package="ftkeras")
class Mpnet(TransformerEncoder):
    """MPNet: BERT without segments, with attention that depends on the distance between tokens.

    x_0 = norm(token + position[2 + i]);  x_i = layer_i(x_{i-1});  pooled = tanh(x_n[0] W + b)

    In all layers, attention scores have a bias for each head and each of 32 buckets of distances.
    This table belongs to the embeddings. The hidden states are those of PyTorch's MPNetModel, and
    `pooled` with a classifier is MPNetForSequenceClassification, except for one dropout before W in
    training. The pooler of MPNetModel itself is not used.
    Source: Song et al., 2020, https://arxiv.org/abs/2004.09297.

    Args:
        positions: maximum number of tokens in a row; positive. The position embedding has 2 more
            rows, so 512 is max_position_embeddings=514 in config.json.

    Other arguments, the call and the results are those of `TransformerEncoder`.

    >>> import numpy as np
    >>> encoder = Mpnet(vocabulary_size=30, layers=2, hidden=8, heads=2, seed=1)
    >>> encoder(np.array([[0, 5, 7, 2]]))["sequence"].shape
    TensorShape([1, 4, 8])
    """

    family = Family(
        model_type="mpnet",
        classes={
            "encoder": "MPNetModel",
            "sequence_classification": "MPNetForSequenceClassification",
        },
        prefix="mpnet",
        fields=tuple(
            field
            for field in with_defaults(bert.FIELDS, vocab_size=30527, pad_token_id=1)
            if field[0] != "type_vocab_size"
        ),
        fixed={"relative_attention_num_buckets": ScoreBias.buckets},
        written={
            "relative_attention_num_buckets": ScoreBias.buckets,
            "initializer_range": STANDARD_DEVIATION,
        },
        embeddings=(
            Rule("embeddings/token_embedding", ("embeddings.word_embeddings.weight",)),
            Rule("embeddings/position_embedding", ("embeddings.position_embeddings.weight",)),
            *norm("embeddings/norm", "embeddings.LayerNorm"),
            Rule("embeddings/relative_embedding", ("encoder.relative_attention_bias.weight",)),
        ),
        layer=(
            *linear(
                "layer_#/attention_qkv_",
                "encoder.layer.#.attention.attn.q",
                "encoder.layer.#.attention.attn.k",
                "encoder.layer.#.attention.attn.v",
            ),
            *linear("layer_#/attention_output_", "encoder.layer.#.attention.attn.o"),
            *norm("layer_#/attention_norm", "encoder.layer.#.attention.LayerNorm"),
            *linear("layer_#/intermediate_", "encoder.layer.#.intermediate.dense"),
            *linear("layer_#/output_", "encoder.layer.#.output.dense"),
            *norm("layer_#/output_norm", "encoder.layer.#.output.LayerNorm"),
        ),
        pooler=linear("pooler/", "classifier.dense"),
        pooler_in_head=True,
        classifier="classifier.out_proj",
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
        activation: str = "gelu",
        dropout: float = 0.1,
        attention_dropout: float = 0.1,
        epsilon: float = 1e-12,
        pad_id: int | None = 1,
        **kwargs: Any,
    ):
        super().__init__(
            layers=layers,
            hidden=hidden,
            heads=heads,
            intermediate=intermediate,
            positions=positions,
            first_position=FIRST_POSITION,
            activation=activation,
            dropout=dropout,
            attention_dropout=attention_dropout,
            epsilon=epsilon,
            pad_id=pad_id,
            switches=Switches(relative=ScoreBias(positions)),
            **kwargs,
        )

    @classmethod
    def settings(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return constructor arguments from the content of a Hugging Face config.json.

        Raises:
            ValueError: this class does not implement that model.
        """
        settings = super().settings(config)
        bounds.integer(FIRST_POSITION + 1, max_position_embeddings=settings["positions"])
        return {**settings, "positions": settings["positions"] - FIRST_POSITION}
