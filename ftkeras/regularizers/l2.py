from keras import ops

from ftkeras.regularizers._base import Regularizer, Step, chosen


class L2(Regularizer):
    """Sum of squares.

    term = strength * Σ w²

    Source: Goodfellow et al., Deep Learning, 2016, section 7.1.1, less its half.

    Args:
        strength: at least 0.
        where: regular expression on the paths of the variables it is taken over.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    def __init__(self, *, strength: float = 0.01, where: str = "kernel"):
        if strength < 0:
            raise ValueError(f"`strength` must be at least 0. Received: {strength}.")
        self.strength, self.where = strength, where

    def attach(self, model) -> None:
        self.variables = chosen(model, self.where)

    def __call__(self, step: Step):
        return self.strength * sum(ops.sum(ops.square(v)) for v in self.variables)

    def get_config(self) -> dict:
        """The arguments that make it again."""
        return {"strength": self.strength, "where": self.where}
