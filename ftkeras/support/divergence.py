"""The symmetric Kullback-Leibler divergence of two predictions, and the entropy of one."""

from typing import Any

import keras
from keras import ops

Tensor = Any


def log_probabilities(logits: Tensor) -> Tensor:
    """Return log softmax over the last axis, in float32 or float64."""
    return ops.log_softmax(_wide(logits), axis=-1)


def symmetric_divergence(logits: Tensor, others: Tensor) -> Tensor:
    """Return KL(P || Q) + KL(Q || P) for two logits [batch, classes], [batch]."""
    log_p, log_q = log_probabilities(logits), log_probabilities(others)
    # Both sums as one: it multiplies small factors, while each sum alone would cancel.
    products = (ops.exp(log_p) - ops.exp(log_q)) * (log_p - log_q)
    return ops.sum(products, axis=-1)


def entropy(logits: Tensor) -> Tensor:
    """Return -Σ_c p_c log p_c of logits [batch, classes], [batch]."""
    log_p = log_probabilities(logits)
    return -ops.sum(ops.exp(log_p) * log_p, axis=-1)


def symmetric_divergence_of_labels(logits: Tensor, others: Tensor) -> Tensor:
    """Return KL(P || Q) + KL(Q || P) of sigmoid outputs [batch, labels], their mean, [batch].

    Of a label with the probabilities p and q, and the logits y and z, it is (p - q) (y - z).
    """
    y, z = _wide(logits), _wide(others)
    return ops.mean((ops.sigmoid(y) - ops.sigmoid(z)) * (y - z), axis=-1)


def entropy_of_labels(logits: Tensor) -> Tensor:
    """Return -p log p - (1 - p) log(1 - p) of sigmoid outputs, the mean over labels, [batch].

    It is softplus(z) - p z of the logit z, which stays finite.
    """
    z = _wide(logits)
    return ops.mean(ops.softplus(z) - ops.sigmoid(z) * z, axis=-1)


def _wide(logits: Tensor) -> Tensor:
    return ops.cast(logits, keras.backend.result_type(logits.dtype, "float32"))
