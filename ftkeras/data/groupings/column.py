"""Group by a column of one's own files."""

from collections.abc import Callable

import numpy as np


class Column:
    """Examples with the same value in a column stay together: an author, a patient, a thread.

    Args:
        name: the column; each file that folds are drawn from must have it.

    Raises:
        ValueError: naming the argument and the value received.
    """

    def __init__(self, *, name: str):
        if not isinstance(name, str) or not name:
            raise ValueError(f"`name` must be a column's name. Received: {name!r}.")
        self._name = name

    def groups(self, examples, column: Callable) -> np.ndarray:
        """The group of each example, int64 [examples]."""
        _, groups = np.unique(np.asarray(column(self._name), dtype=str), return_inverse=True)
        return groups.astype(np.int64)
