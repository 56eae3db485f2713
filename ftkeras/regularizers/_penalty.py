from ftkeras.regularizers._base import Regularizer, Step, chosen
from ftkeras.support.bounds import regular_expression


class Penalty(Regularizer):
    """The sum of `of`(w), which a subclass has, over the variables w that `where` chooses."""

    def __init__(self, where: str):
        regular_expression(where=where)
        self.where = where

    def attach(self, model) -> None:
        self.penalized = chosen(model, self.where)

    def __call__(self, step: Step):
        return sum(self.of(variable) for variable in self.penalized)
