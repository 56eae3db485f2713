"""Ways to tune an encoder by few labels, before the head is trained: one in each file."""

from typing import NamedTuple, Protocol

import numpy as np


class Pairs(NamedTuple):
    """Pairs of texts.

    Attributes:
        first, second: int64 [pairs], the numbers of the texts.
        alike: bool [pairs], whether both have the same label.
    """

    first: np.ndarray
    second: np.ndarray
    alike: np.ndarray


class FewShot(Protocol):
    """The interface of these ways: training on pairs of texts.

    Attributes:
        epochs: passes over the pairs.
        learning_rate: the highest one of these passes.
    """

    epochs: int
    learning_rate: float

    def choose(self, classes: np.ndarray) -> Pairs:
        """Return the pairs to train on.

        Args:
            classes: of the texts, integer [texts].
        """
        ...
