import keras

from ftkeras.regularizers._penalty import Penalty
from ftkeras.support.bounds import not_negative


class L2(Penalty):
    """Sum of squares.

    term = strength * Σ w²

    Source: Goodfellow et al., Deep Learning, 2016, section 7.1.1, less its half. Unlike the decay
    of AdamW it goes through the optimizer's moments: see Loshchilov and Hutter, 2019,
    https://arxiv.org/abs/1711.05101.

    Args:
        strength: at least 0.
        where: regular expression on the paths of the variables it is taken over.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    def __init__(self, *, strength: float = 0.01, where: str = "kernel"):
        not_negative(strength=strength)
        super().__init__(where)
        self.strength = strength
        self.of = keras.regularizers.L1L2(l2=strength)
