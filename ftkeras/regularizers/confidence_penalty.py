"""Confidence penalty."""

from typing import Any

from ftkeras.regularizers._base import Regularizer, Step
from ftkeras.support.bounds import not_negative


class ConfidencePenalty(Regularizer):
    """Penalize overconfident predictions by rewarding their entropy.

    term = -strength * mean H(p),     H(p) = -Σ_c p_c log p_c,     p = softmax(logits)

    If each label is decided by a sigmoid, H is the mean over labels of -p log p - (1-p) log(1-p).
    Source: Pereyra et al., 2017, https://arxiv.org/abs/1701.06548.

    Args:
        strength: β in the paper; at least 0.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> from keras import ops
    >>> from types import SimpleNamespace
    >>> from ftkeras.support.divergence import entropy
    >>> step = SimpleNamespace(logits=ops.zeros((1, 2)), mean=ops.mean, entropy=entropy)
    >>> print(f"{float(ConfidencePenalty(strength=1.0)(step)):.4f}")
    -0.6931
    """

    def __init__(self, *, strength: float = 0.1):
        not_negative(strength=strength)
        self.strength = strength

    def __call__(self, step: Step) -> Any:
        return -self.strength * step.mean(step.entropy(step.logits))
