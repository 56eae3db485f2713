"""Random search."""

import keras_tuner
from keras_tuner.oracles import RandomSearchOracle

from ftkeras.search import keras_tuner_compat
from ftkeras.search.oracles._base import Stateless


class Random(Stateless, RandomSearchOracle):
    """Sample settings independently, without repetition, until the space is exhausted.

    Source: Bergstra and Bengio, Random search for hyper-parameter optimization, JMLR 13, 2012,
    https://jmlr.org/papers/v13/bergstra12a.html.
    """

    def __init__(
        self,
        *,
        objective: keras_tuner.Objective,
        hyperparameters: keras_tuner.HyperParameters,
        seed: int,
    ):
        super().__init__(
            objective=objective, hyperparameters=hyperparameters, seed=seed, max_trials=None
        )
        keras_tuner_compat.limit_samples(self)
