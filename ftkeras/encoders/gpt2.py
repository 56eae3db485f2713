"""GPT-2."""

import re
from collections.abc import Mapping
from typing import Any

import keras

from ftkeras.encoders._encoder import TransformerEncoder
from ftkeras.encoders._family import Family, Rule, norm
from ftkeras.encoders._switches import Switches
from ftkeras.encoders._weighted_layer import STANDARD_DEVIATION

FIELDS = (
    ("vocab_size", "vocabulary_size", 50257),
    ("n_layer", "layers", 12),
    ("n_embd", "hidden", 768),
    ("n_head", "heads", 12),
    ("n_inner", "intermediate", None),
    ("n_positions", "positions", 1024),
    ("activation_function", "activation", "gelu_new"),
    ("resid_pdrop", "dropout", 0.1),
    ("attn_pdrop", "attention_dropout", 0.1),
    ("layer_norm_epsilon", "epsilon", 1e-5),
    ("pad_token_id", "pad_id", None),
)
# The id of <|endoftext|> in the published vocabulary, the default of transformers.
END_OF_TEXT = 50256


def _convolution(variable: str, module: str) -> tuple[Rule, Rule]:
    """Return the rules of a Conv1D of transformers, whose kernel is [inputs, outputs]."""
    return (
        Rule(f"{variable}kernel", (f"{module}.weight",)),
        Rule(f"{variable}bias", (f"{module}.bias",)),
    )


@keras.saving.register_keras_serializable(package="ftkeras")
class Gpt2(TransformerEncoder):
    """GPT-2: each token attends to the tokens before it, and the last token represents the text.

    x_0 = token + position;  a_i = x_{i-1} + attention_i(norm(x_{i-1}))

    x_i = a_i + activation(norm(a_i) W1 + b1) W2 + b2;  pooled = norm(x_n)[last]

    The last of the hidden states is norm(x_n). The hidden states are those of PyTorch's GPT2Model,
    and `pooled` with a classifier is GPT2ForSequenceClassification. There is no pooler layer: the
    poolings `pooled` and `cls` of a head both read the last token that is not padding, and `mean`
    reads all tokens. The published models have no padding token, so <|endoftext|> is used.
    Source: Radford et al., 2019,
    https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf.

    Args:
        positions: maximum number of tokens in a row (rows of the position embedding); positive.
        pad_id: the padding token's id, 50256 in the published models; at least 0, or None.

    Other arguments, the call and the results are those of `TransformerEncoder`.

    >>> import numpy as np
    >>> encoder = Gpt2(vocabulary_size=30, layers=2, hidden=8, heads=2, seed=1)
    >>> token_ids, padding_mask = np.array([[5, 7, 9, 0]]), np.array([[1, 1, 1, 0]])
    >>> states = encoder(token_ids, padding_mask)
    >>> bool(np.all(states["pooled"] == states["sequence"][:, 2]))
    True
    """

    family = Family(
        model_type="gpt2",
        classes={
            "encoder": "GPT2Model",
            "sequence_classification": "GPT2ForSequenceClassification",
        },
        prefix="transformer",
        fields=FIELDS,
        fixed={
            "scale_attn_weights": True,
            "scale_attn_by_inverse_layer_idx": False,
            "add_cross_attention": False,
        },
        written={"initializer_range": STANDARD_DEVIATION},
        embeddings=(
            Rule("embeddings/token_embedding", ("wte.weight",)),
            Rule("embeddings/position_embedding", ("wpe.weight",)),
        ),
        layer=(
            *norm("layer_#/attention_norm", "h.#.ln_1"),
            *_convolution("layer_#/attention_qkv_", "h.#.attn.c_attn"),
            *_convolution("layer_#/attention_output_", "h.#.attn.c_proj"),
            *norm("layer_#/output_norm", "h.#.ln_2"),
            *_convolution("layer_#/intermediate_", "h.#.mlp.c_fc"),
            *_convolution("layer_#/output_", "h.#.mlp.c_proj"),
            # Only the last layer has this one.
            *norm("layer_#/final_norm", "ln_f"),
        ),
        pooler=(),
        classifier="score",
        final_bias="ln_f.bias",
        no_class=("multiple_choice", "question_answering"),
        # Older files have the causal mask of each layer as well.
        ignored=re.compile(
            r"(lm_head|score|classifier|qa_outputs|multiple_choice_head)\."
            r"|h\.\d+\.attn\.(masked_)?bias$"
        ),
    )

    def __init__(
        self,
        *,
        layers: int = 12,
        hidden: int = 768,
        heads: int = 12,
        intermediate: int | None = None,
        positions: int = 1024,
        activation: str = "gelu_new",
        dropout: float = 0.1,
        attention_dropout: float = 0.1,
        epsilon: float = 1e-5,
        pad_id: int | None = END_OF_TEXT,
        **kwargs: Any,
    ):
        super().__init__(
            layers=layers,
            hidden=hidden,
            heads=heads,
            intermediate=intermediate,
            positions=positions,
            activation=activation,
            dropout=dropout,
            attention_dropout=attention_dropout,
            epsilon=epsilon,
            pad_id=pad_id,
            switches=Switches(embedding_norm=False, norm_first=True, causal=True, pooler=False),
            **kwargs,
        )

    @classmethod
    def settings(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return constructor arguments from the content of a Hugging Face config.json.

        Raises:
            ValueError: this class does not implement that model.
        """
        settings = super().settings(config)
        if (other := config.get("embd_pdrop", settings["dropout"])) != settings["dropout"]:
            raise ValueError(
                f"`embd_pdrop` must be resid_pdrop={settings['dropout']}. Received: {other}."
            )
        if settings["pad_id"] is None:
            settings["pad_id"] = config.get("eos_token_id", END_OF_TEXT)
        return settings

    def huggingface_config(self) -> dict[str, Any]:
        """Return the content of config.json for transformers, without `architectures`."""
        end = END_OF_TEXT if self.vocabulary_size > END_OF_TEXT else self.pad_id
        ends = dict.fromkeys(("bos_token_id", "eos_token_id"), end)
        return {**super().huggingface_config(), **ends, "embd_pdrop": self.dropout}
