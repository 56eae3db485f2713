"""L1 penalty."""

from typing import Any

import keras

from ftkeras.regularizers._penalty import Penalty
from ftkeras.support.bounds import not_negative


class L1(Penalty):
    """Penalize the sum of absolute values.

    term = strength * Σ|w|

    Source: Tibshirani, 1996, https://doi.org/10.1111/j.2517-6161.1996.tb02080.x.

    Args:
        strength: at least 0.
        where: regular expression on the paths of the variables to penalize.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
            In `attach`: if `where` matches no variable that trains.

    >>> float(L1(strength=0.5).penalty(keras.Variable([1.0, -2.0])))
    1.5
    """

    def __init__(self, *, strength: float = 1e-5, where: str = "kernel"):
        not_negative(strength=strength)
        super().__init__(where)
        self.strength = strength
        self._penalty = keras.regularizers.L1L2(l1=strength)

    def penalty(self, variable: keras.Variable) -> Any:
        return self._penalty(variable)
