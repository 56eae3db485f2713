"""Distillation: learning from a teacher's answers."""

from typing import Any

from keras import ops

from ftkeras.regularizers._base import Regularizer, Step
from ftkeras.support.bounds import not_negative, positive


class Distill(Regularizer):
    """Learn from the answers of the run's `teacher`, beside the labels or instead of them.

    loss = (1 - weight) * L + weight * D

    L is the task's loss, D the mean distance from the teacher's answers. It depends on the problem:

    - one of several classes, tags or options: T² KL(Q || P), where P = softmax(z / T) is the
      student's answer with the logits z, and Q = softmax(log q / T) that of a teacher with the
      probabilities q. log q are the teacher's logits but for a constant, which softmax ignores.
    - labels that are decided one by one: the same of each label's sigmoid, the mean over labels.
    - numbers: (z - q)², the mean over outputs. There is no temperature.

    T² makes the gradient's size independent of T. Each term is the mean over all examples (or
    words) of a batch. An unlabelled example has no part in L, and counts in the mean. So does an
    example without an answer of the teacher, which has no part in D.
    It replaces the task's loss.
    Source: Hinton et al., 2015, section 2, https://arxiv.org/abs/1503.02531.

    Args:
        temperature: T; positive. Higher ones show more of how the teacher ranks wrong classes.
        weight: share of D, from 0 to 1; 1 ignores the labels.

    Raises:
        ValueError: an argument is out of bounds; names it, the bound and the value. When called:
            the run has no teacher.

    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from keras import ops
    >>> from ftkeras.support.divergence import soft_cross_entropy
    >>> step = SimpleNamespace(
    ...     logits=ops.zeros((1, 2)),
    ...     loss_of=lambda logits: 0.7,
    ...     mean=ops.mean,
    ...     soft_loss=soft_cross_entropy,
    ...     teacher=np.array([[0.75, 0.25]]),
    ...     taught=1.0,
    ... )
    >>> print(f"{float(Distill(temperature=1.0, weight=0.5)(step)):.4f}")
    0.4154
    """

    replaces_loss = True

    def __init__(self, *, temperature: float = 2.0, weight: float = 0.5):
        positive(temperature=temperature)
        not_negative(weight=weight)
        if weight > 1:
            raise ValueError(f"`weight` must be at most 1. Received: {weight}.")
        self.temperature, self.weight = temperature, weight

    def __call__(self, step: Step) -> Any:
        if step.teacher is None:
            raise ValueError("distill needs `teacher`, a model to learn from.")
        distances = step.soft_loss(step.logits, step.teacher, self.temperature)
        distance = step.mean(distances * ops.cast(step.taught, distances.dtype))
        return (1 - self.weight) * step.loss_of(step.logits) + self.weight * distance
