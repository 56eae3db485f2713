"""Grid search."""

import keras_tuner
from keras_tuner.engine.hyperparameters import Choice
from keras_tuner.oracles import GridSearchOracle

from ftkeras.search.oracles._base import Stateless


class Grid(Stateless, GridSearchOracle):
    """Try every combination of values. Intervals need a step.

    A key inside a choice is varied only when that choice is made.
    """

    ends = True

    def __init__(
        self,
        *,
        objective: keras_tuner.Objective,
        hyperparameters: keras_tuner.HyperParameters,
        seed: int,
    ):
        for hp in hyperparameters.space:
            if not isinstance(hp, Choice) and hp.step is None:
                raise ValueError(
                    "a grid needs choices, or intervals with a step, as in "
                    f"uniform(0.1, 0.3, step=0.1). Received: {hp.name} without a step."
                )
        super().__init__(objective=objective, hyperparameters=hyperparameters, seed=seed)
