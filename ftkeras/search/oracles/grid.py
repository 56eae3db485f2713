from keras_tuner.oracles import GridSearchOracle

from ftkeras.search.oracles._base import Forgetful


class Grid(Forgetful, GridSearchOracle):
    """Every setting there is, one after the other; intervals need a step.

    A key inside a choice is varied with that choice only.
    """

    ends = True

    def __init__(self, *, objective, hyperparameters, seed: int):
        endless = [hp.name for hp in hyperparameters.space if getattr(hp, "step", 1) is None]
        if endless:
            raise ValueError(
                "a grid needs choices, or intervals with a step, as in uniform(0.1, 0.3, step=0.1)."
                f" Received: {endless[0]} without one."
            )
        super().__init__(objective=objective, hyperparameters=hyperparameters, seed=seed)
