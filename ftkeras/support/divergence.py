"""Divergences of predictions from each other and from a teacher's answers, and their entropy."""

from typing import Any

import keras
import numpy as np
from keras import ops

Tensor = Any
# The least distance of a label's probability from 0 and 1, in float32.
LEAST = 1e-7


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


def soft_cross_entropy(logits: Tensor, probabilities: Tensor, temperature: float) -> Tensor:
    """Return T² KL(Q || P), where P and Q are softened by the temperature T, [batch].

    P = softmax(logits / T),     Q = softmax(log(probabilities) / T)

    A class with the probability 0 keeps it, and is left out.
    Source: Hinton et al., 2015, section 2, https://arxiv.org/abs/1503.02531.

    Args:
        logits: [batch, classes].
        probabilities: a teacher's, of the same shape; a constant.
        temperature: T, positive.
    """
    z = _wide(logits)
    p = ops.cast(probabilities, z.dtype)
    zero = p <= 0
    scores = ops.where(zero, -np.inf, ops.log(ops.where(zero, 1.0, p)) / temperature)
    log_q = ops.log_softmax(scores, axis=-1)
    log_p = ops.log_softmax(z / temperature, axis=-1)
    terms = ops.exp(log_q) * (ops.where(zero, 0.0, log_q) - log_p)
    return temperature**2 * ops.sum(ops.where(zero, 0.0, terms), axis=-1)


def soft_cross_entropy_of_labels(
    logits: Tensor, probabilities: Tensor, temperature: float
) -> Tensor:
    """Return T² KL(Q || P) of sigmoid outputs, softened by the temperature T: their mean, [batch].

    P = sigmoid(logits / T),     Q = sigmoid(log(p / (1 - p)) / T)

    Args:
        logits: [batch, labels].
        probabilities: p, a teacher's, of the same shape; a constant. Those that are nearer to 0 or
            1 than 1e-7 count as that far from it.
        temperature: T, positive.
    """
    z = _wide(logits) / temperature
    p = ops.clip(ops.cast(probabilities, z.dtype), LEAST, 1 - LEAST)
    y = (ops.log(p) - ops.log1p(-p)) / temperature
    # q log q + (1 - q) log(1 - q) = q y - softplus(y), and so for the student's p.
    terms = ops.sigmoid(y) * (y - z) - ops.softplus(y) + ops.softplus(z)
    return temperature**2 * ops.mean(terms, axis=-1)


def _wide(logits: Tensor) -> Tensor:
    return ops.cast(logits, keras.backend.result_type(logits.dtype, "float32"))
