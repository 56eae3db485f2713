"""The mean of a text's token states."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

Tensor = Any


def mean_of_tokens(features: Mapping[str, Tensor], padding_mask: Tensor) -> Tensor:
    """Return the mean state of the tokens of each text, padding excepted, [texts, hidden].

    Args:
        features: "sequence" [batch, length, hidden] and, of packed rows, "membership" [batch,
            texts, length].
        padding_mask: [batch, length], true where there is a token. A row without any gives zeros.
    """
    sequence = features["sequence"]
    dtype = sequence.dtype
    if keras.backend.standardize_dtype(dtype) == "float16":  # in which a sum may overflow
        sequence = ops.cast(sequence, "float32")
    weights = ops.cast(features.get("membership", padding_mask[:, None]), sequence.dtype)
    counts = ops.maximum(ops.sum(weights, axis=-1, keepdims=True), 1)
    means = ops.cast(ops.matmul(weights, sequence) / counts, dtype)
    return ops.reshape(means, (-1, means.shape[-1]))
