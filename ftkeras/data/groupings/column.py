"""Group examples by a column of the user's files."""

from collections.abc import Callable

import numpy as np

from ftkeras.data.examples import Examples


class Column:
    """Keep examples with the same value in a column together: an author, a patient, a thread.

    Args:
        name: the name of the column. Every file whose examples are assigned to folds must have it.

    Raises:
        ValueError: if an argument is wrong. The message names it and the value.
    """

    def __init__(self, *, name: str):
        if not isinstance(name, str) or not name:
            raise ValueError(f"`name` must be a column's name. Received: {name!r}.")
        self._name = name

    def groups(self, examples: Examples, column: Callable[[str], np.ndarray]) -> np.ndarray:
        """Return the group of each example, int64 [examples]."""
        # No array of strings: all of them would take the room of the longest.
        values = [str(value) for value in column(self._name)]
        numbers = {value: number for number, value in enumerate(sorted(set(values)))}
        return np.array([numbers[value] for value in values], np.int64)
