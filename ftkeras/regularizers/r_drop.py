"""Consistency of two passes with different dropout (R-Drop)."""

from typing import Any

from ftkeras.regularizers._base import Regularizer, Step
from ftkeras.support.bounds import not_negative


class RDrop(Regularizer):
    """Add the loss of a second pass with different dropout, and its divergence from the first.

    term = L(P₂) + alpha/2 * (KL(P₁ || P₂) + KL(P₂ || P₁))

    The term is added to the task's L(P₁), so the whole loss is L(P₁) + L(P₂) + alpha * L_KL, as in
    the paper's formula. The paper's code takes the mean of both losses, which is half of this with
    alpha doubled. The reported loss is about twice the task's. The cost is a second forward and
    backward pass.
    Source: Liang et al., 2021, section 2, https://arxiv.org/abs/2106.14448.

    Args:
        alpha: weight of the divergence; at least 0.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> import keras
    >>> from ftkeras.support.divergence import symmetric_divergence
    >>> from types import SimpleNamespace
    >>> logits = keras.ops.array([[2.0, 0.0]])
    >>> step = SimpleNamespace(
    ...     logits=logits,
    ...     forward=lambda: -logits,
    ...     loss_of=lambda logits: 0.5,
    ...     mean=keras.ops.mean,
    ...     divergence=symmetric_divergence,
    ... )
    >>> print(f"{float(RDrop(alpha=1.0)(step)):.4f}")
    2.0232
    """

    def __init__(self, *, alpha: float = 1.0):
        not_negative(alpha=alpha)
        self.alpha = alpha

    def __call__(self, step: Step) -> Any:
        other = step.forward()
        divergence = step.mean(step.divergence(step.logits, other))
        return step.loss_of(other) + self.alpha / 2 * divergence
