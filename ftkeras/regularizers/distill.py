"""Distillation: learning from a teacher's answers."""

from typing import Any

from keras import ops

from ftkeras.regularizers._base import Regularizer, Step
from ftkeras.support.bounds import not_negative, positive


class Distill(Regularizer):
    """Learn from the answers of the run's `teacher`, in addition to the labels or instead of them.

    loss = (1 - weight) * L + weight * D

    It replaces the task's loss. L is that loss, and D the mean distance from the teacher's answers,
    which depends on the problem:

    - one of several classes, tags or options: T² KL(Q || P), where P = softmax(z / T) is the answer
      of the student with the logits z, and Q = softmax(log q / T) that of a teacher with the
      probabilities q. log q equals the teacher's logits up to a constant, which softmax ignores.
    - start and end of an answer: the same over the tokens of a window, the mean of both. The
      teacher needs the same tokens as the student.
    - several labels: the same for the sigmoid of each label, the mean over labels.
    - numbers, and cosines of pairs: (z - q)², the mean over outputs, without a temperature.

    T² makes the size of the gradient independent of T. Each term is the mean over all examples (or
    words) of a batch. Unlabelled examples contribute 0 to L, and examples without an answer of the
    teacher contribute 0 to D; both count in the mean.
    Source: Hinton et al., 2015, section 2, https://arxiv.org/abs/1503.02531.

    Args:
        temperature: T; positive. A higher T shows more of how the teacher ranks wrong classes.
        weight: share of D, from 0 to 1; 1 ignores the labels.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
            When called: if the run has no teacher.

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
    needs_teacher = True

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
