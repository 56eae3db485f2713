"""The part of the interface of problems about learning from another model's answers."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

Tensor = Any
# The regularizers that learn from a teacher's answers to the same question.
DISTILLATIONS = ("distill", "distill_states")


class Taught(Protocol):
    """Members of a problem whose outputs are probabilities or numbers, which a teacher has too.

    A teacher's answers are what `activate` makes of its outputs, float32 [examples, outputs]; of
    problems that read words, [words, outputs].
    """

    names: Sequence[str] = ()

    def columns_of_teacher(self, names: Sequence[str]) -> list[int] | None:
        """Return which of a teacher's outputs is each of the model's own; None if they differ.

        Args:
            names: of the teacher's outputs.
        """
        if len(names) != len(self.names) or set(names) != set(self.names):
            return None
        return [list(names).index(name) for name in self.names]

    def soft_targets(self, answers: np.ndarray) -> np.ndarray:
        """Return a teacher's answers as `soft_loss` takes them, float32 of the same shape."""
        return answers

    def soft_loss(self, outputs: Tensor, answers: Tensor, temperature: float) -> Tensor:
        """Return how far outputs are from a teacher's answers, [examples]; at least 0.

        Args:
            outputs: of the model, [examples, outputs].
            answers: from `soft_targets`.
            temperature: softens probabilities; positive.
        """
        raise NotImplementedError
