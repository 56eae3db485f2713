"""Groupings: which examples must be in the same fold, one way per file."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from ftkeras.data.examples import Examples


class Grouping(Protocol):
    """The interface of a grouping, which is built from the keys of its own spec."""

    def groups(self, examples: Examples, column: Callable[[str], np.ndarray]) -> np.ndarray:
        """Return the group of each example, int64 [examples]; a group is never split.

        Args:
            examples: the examples to group.
            column: returns a column of the task's files, by name: one value per example.
        """
        ...
