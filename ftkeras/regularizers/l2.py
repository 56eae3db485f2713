"""L2 penalty."""

from typing import Any

import keras

from ftkeras.regularizers._penalty import Penalty
from ftkeras.support.bounds import not_negative


class L2(Penalty):
    """Penalize the sum of squares.

    term = strength * Σ w²

    Source: Goodfellow et al., Deep Learning, 2016, section 7.1.1, without its factor 1/2. Unlike
    AdamW's weight decay, its gradient enters the optimizer's moments: see Loshchilov and Hutter,
    2019, https://arxiv.org/abs/1711.05101.

    Args:
        strength: at least 0.
        where: regular expression on the paths of the variables to penalize.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
            In `attach`: if `where` matches no variable that trains.

    >>> float(L2(strength=0.5).penalty(keras.Variable([1.0, -2.0])))
    2.5
    """

    def __init__(self, *, strength: float = 0.01, where: str = "kernel"):
        not_negative(strength=strength)
        super().__init__(where)
        self.strength = strength
        self._penalty = keras.regularizers.L1L2(l2=strength)

    def penalty(self, variable: keras.Variable) -> Any:
        return self._penalty(variable)
