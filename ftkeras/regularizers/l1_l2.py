"""Elastic net."""

from typing import Any

import keras

from ftkeras.regularizers._penalty import Penalty
from ftkeras.support.bounds import not_negative


class L1L2(Penalty):
    """Penalize the sum of absolute values and the sum of squares: the elastic net.

    term = l1 * Σ|w| + l2 * Σ w²

    Source: Zou and Hastie, 2005, https://doi.org/10.1111/j.1467-9868.2005.00503.x.

    Args:
        l1: strength of the absolute values; at least 0.
        l2: strength of the squares; at least 0.
        where: regular expression on the paths of the variables to penalize.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
            In `attach`: if `where` matches no variable that trains.

    >>> float(L1L2(l1=1.0, l2=0.5).penalty(keras.Variable([1.0, -2.0])))
    5.5
    """

    def __init__(self, *, l1: float = 1e-5, l2: float = 0.01, where: str = "kernel"):
        not_negative(l1=l1, l2=l2)
        super().__init__(where)
        self.l1, self.l2 = l1, l2
        self._penalty = keras.regularizers.L1L2(l1=l1, l2=l2)

    def penalty(self, variable: keras.Variable) -> Any:
        return self._penalty(variable)
