"""The names of TensorFlow's variables, as PyTorch calls the tensors.

TensorFlow's classes have the same modules as PyTorch's, so that rules on parts of a name are
enough, whatever the family:

| TensorFlow | PyTorch |
|---|---|
| `layer_._0/a`, `layer_0/a` | `layer.0.a` |
| `kernel` | `weight`, transposed |
| `gamma`, `beta` | `weight`, `bias` |
| `a_embeddings/embeddings`, `a_embeddings/weight`, `a_embeddings` | `a_embeddings.weight` |
| `output_weights`, `output_bias` of a classifier | `classifier.weight`, `classifier.bias` |

Only TensorFlow Model Garden calls its modules otherwise: `GARDEN`.
"""

import math
import re

Rules = tuple[tuple[str, str], ...]

# Model Garden's functional encoder numbers its layers, its later one names them.
GARDEN: Rules = (
    (r"^(encoder|model)/(?=layer_with_weights-|_)", ""),
    (r"/\.ATTRIBUTES/VARIABLE_VALUE$", ""),
    (r"^(layer_with_weights-0|_embedding_layer)/embeddings$", "embeddings/word_embeddings/weight"),
    (
        r"^(layer_with_weights-1|_position_embedding_layer)/embeddings$",
        "embeddings/position_embeddings/weight",
    ),
    (
        r"^(layer_with_weights-2|_type_embedding_layer)/embeddings$",
        "embeddings/token_type_embeddings/weight",
    ),
    (r"^(layer_with_weights-3|_embedding_norm_layer)/(?=gamma|beta)", "embeddings/LayerNorm/"),
    (r"^(layer_with_weights-\d+|_pooler_layer)/(?=kernel$|bias$)", "pooler/dense/"),
    (r"^_transformer_layers/(?=\d+/)", "encoder/layer/"),
    (r"_attention_layer/_(query|key|value)_dense/", r"attention/self/\1/"),
    (r"(_attention_layer/_output_dense|_attention_output_dense)/", "attention/output/dense/"),
    (r"_attention_layer_norm/", "attention/output/LayerNorm/"),
    (r"_intermediate_dense/", "intermediate/dense/"),
    (r"_output_dense/", "output/dense/"),
    (r"_output_layer_norm/", "output/LayerNorm/"),
)
GARDEN_LAYER = re.compile(r"^layer_with_weights-(\d+)/")
# In front of them are three embeddings and their normalization.
FIRST_GARDEN_LAYER = 4
SPELLINGS: Rules = (
    (r":0$", ""),
    (r"_\._(?=\d+/)", "/"),
    (r"(?<=/layer)_(?=\d+/)", "/"),
    (r"(?<=/)(kernel|gamma|embeddings)$", "weight"),
    (r"(?<=/)beta$", "bias"),
    (r"_embeddings$", r"\g<0>/weight"),
    (r"^output_weights$", "classifier/weight"),
    (r"^output_bias$", "classifier/bias"),
)


def torch_name(name: str) -> str:
    """Return the PyTorch name of a variable.

    >>> torch_name("bert/encoder/layer_._0/attention/self/query/kernel:0")
    'bert.encoder.layer.0.attention.self.query.weight'
    >>> torch_name("transformer/h_._0/attn/c_attn/weight:0")
    'transformer.h.0.attn.c_attn.weight'
    >>> torch_name("bert/embeddings/word_embeddings")
    'bert.embeddings.word_embeddings.weight'
    >>> torch_name("encoder/layer_with_weights-4/_output_dense/bias/.ATTRIBUTES/VARIABLE_VALUE")
    'encoder.layer.0.output.dense.bias'
    """
    rules = GARDEN if ".ATTRIBUTES" in name else ()
    for pattern, spelling in rules:
        name = re.sub(pattern, spelling, name)
    name = GARDEN_LAYER.sub(
        lambda match: f"encoder/layer/{int(match[1]) - FIRST_GARDEN_LAYER}/", name
    )
    for pattern, spelling in SPELLINGS:
        name = re.sub(pattern, spelling, name)
    return name.replace("/", ".")


def is_transposed(name: str) -> bool:
    """Return whether PyTorch has the transpose of a variable, a linear layer's kernel.

    >>> is_transposed("classifier/kernel:0"), is_transposed("output_weights")
    (True, False)
    """
    return re.search(r"/kernel(:0|/\.ATTRIBUTES/VARIABLE_VALUE)?$", name) is not None


def matrix_shape(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a variable's shape with Model Garden's axis of the attention heads joined.

    >>> matrix_shape("a/_query_dense/kernel", (8, 2, 4))
    (8, 8)
    >>> matrix_shape("a/_query_dense/bias", (2, 4))
    (8,)
    >>> matrix_shape("a/_output_dense/kernel", (2, 4, 8))
    (8, 8)
    """
    if "_attention_layer/" not in name and "_dense/" not in name:
        return shape
    if len(shape) == 3:
        first, middle, last = shape
        joined = "_output_dense/" in name or "_attention_output_dense/" in name
        return (first * middle, last) if joined else (first, middle * last)
    is_bias = "/bias" in name and len(shape) == 2
    return (math.prod(shape),) if is_bias else shape
