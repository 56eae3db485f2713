"""Penalties on weights."""

from collections.abc import Callable
from typing import Any

import keras

from ftkeras.regularizers._base import Regularizer, Step
from ftkeras.regularizers._variables import matching_variables
from ftkeras.support.bounds import regular_expression
from ftkeras.support.protocols import Model


class Penalty(Regularizer):
    """The sum of `penalty(w)` over the trainable variables w whose path matches `where`.

    Args:
        where: regular expression on variable paths.
    """

    of_weights = True

    def __init__(self, where: str):
        regular_expression(where=where)
        self.where = where
        self.penalized: list[keras.Variable] = []

    def penalty(self, variable: keras.Variable) -> Any:
        """Return the penalty of one variable, a scalar ()."""
        raise NotImplementedError

    def attach(self, model: Model) -> None:
        self.penalized = matching_variables(model, self.where)

    def of_variable(self, model: Any) -> dict[int, Callable[[Any], Any]]:
        self.attach(model)
        return {id(v): self.penalty for v in self.penalized}

    def __call__(self, step: Step) -> Any:
        return sum(self.penalty(variable) for variable in self.penalized)
