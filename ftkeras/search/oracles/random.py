from keras_tuner.oracles import RandomSearchOracle

from ftkeras.search.oracles._base import Forgetful

# Draws of settings that were tried already before the space counts as exhausted.
MOST_COLLISIONS = 1000


class Random(Forgetful, RandomSearchOracle):
    """Each setting drawn for itself, none twice, until the space is exhausted.

    Source: Bergstra and Bengio, Random search for hyper-parameter optimization, JMLR 13, 2012,
    https://jmlr.org/papers/v13/bergstra12a.html.
    """

    def __init__(self, *, objective, hyperparameters, seed: int):
        super().__init__(
            objective=objective, hyperparameters=hyperparameters, seed=seed, max_trials=None
        )
        self._max_collisions = MOST_COLLISIONS
