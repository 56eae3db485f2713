"""The symmetric Kullback-Leibler divergence of two predictions."""

from typing import Any

import keras
from keras import ops

Tensor = Any


def log_probabilities(logits: Tensor) -> Tensor:
    """Return log softmax over the last axis, in float32 or float64."""
    wide = ops.cast(logits, keras.backend.result_type(logits.dtype, "float32"))
    return ops.log_softmax(wide, axis=-1)


def symmetric_divergence(logits: Tensor, others: Tensor) -> Tensor:
    """Return KL(P || Q) + KL(Q || P) for two logits [batch, classes], [batch]."""
    log_p, log_q = log_probabilities(logits), log_probabilities(others)
    # Both sums as one: it multiplies small factors, while each sum alone would cancel.
    products = (ops.exp(log_p) - ops.exp(log_q)) * (log_p - log_q)
    return ops.sum(products, axis=-1)
