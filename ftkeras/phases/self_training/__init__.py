"""Ways to learn from a run's own answers to unlabelled texts: one in each file."""

from typing import Protocol

import numpy as np


class SelfTraining(Protocol):
    """The interface of these ways: rounds, each of which trains on the answers of the one before.

    Attributes:
        count: how many rounds follow the first one, which is trained on labels alone.
    """

    count: int

    def choose(self, probabilities: np.ndarray) -> np.ndarray:
        """Return which answers are trained on as labels, bool [texts].

        Args:
            probabilities: of the labels, [texts, labels].
        """
        ...
