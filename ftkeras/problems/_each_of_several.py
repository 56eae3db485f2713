"""Members of a problem whose outputs are the logits of sigmoids: each label is decided alone."""

from typing import Any

import numpy as np

from ftkeras.problems._base import Problem

Tensor = Any


class EachOfSeveral(Problem):
    """A problem that decides about each of several labels."""

    def divergence(self, outputs: Tensor, others: Tensor) -> Tensor:
        """Return the symmetric divergence of the labels' decisions, the mean over labels."""
        from ftkeras.support.divergence import symmetric_divergence_of_labels

        return symmetric_divergence_of_labels(outputs, others)

    def entropy(self, outputs: Tensor) -> Tensor:
        """Return the entropy of the labels' decisions, the mean over labels."""
        from ftkeras.support.divergence import entropy_of_labels

        return entropy_of_labels(outputs)

    def distributions(self, answers: np.ndarray) -> np.ndarray:
        """Return the probabilities that a text lacks and has each label."""
        return np.stack([1 - answers, answers], axis=-1)

    def soft_loss(self, outputs: Tensor, answers: Tensor, temperature: float) -> Tensor:
        from ftkeras.support.divergence import soft_cross_entropy_of_labels

        return soft_cross_entropy_of_labels(outputs, answers, temperature)
