"""Hyperband."""

import copy
import math

import keras_tuner
from keras_tuner.oracles import HyperbandOracle

from ftkeras.search.oracles._base import Stateless
from ftkeras.support import bounds


class Hyperband(Stateless, HyperbandOracle):
    """Train many settings for few epochs, and the best of them for more epochs.

    A bracket starts with n settings that train for r epochs. After each round, the best 1/factor of
    them continue from their weights to factor times as many epochs, up to `--epochs`. Later
    brackets start with fewer settings and more epochs each.

    Source: Li et al., Hyperband, JMLR 18, 2018, https://jmlr.org/papers/v18/16-558.html.

    Args:
        factor: ratio between rounds of both the number of settings and the epochs; at least 2.
        iterations: number of passes through all brackets; at least 1.
    """

    continues = ends = True

    def __init__(
        self,
        *,
        objective: keras_tuner.Objective,
        hyperparameters: keras_tuner.HyperParameters,
        seed: int,
        max_epochs: int,
        factor: int = 3,
        iterations: int = 1,
    ):
        bounds.integer(2, factor=factor)
        bounds.integer(1, iterations=iterations)
        super().__init__(
            objective=objective,
            hyperparameters=hyperparameters,
            seed=seed,
            max_epochs=max_epochs,
            factor=factor,
            hyperband_iterations=iterations,
        )

    @keras_tuner.synchronized
    def end_trial(self, trial):
        # KerasTuner would wait for the score of a failed trial, and its bracket would never end.
        if trial.status == "FAILED":
            worst = -math.inf if self.objective.direction == "max" else math.inf
            self.update_trial(trial.trial_id, {self.objective.name: worst})
            trial = copy.copy(trial)
            trial.status = "COMPLETED"
        super().end_trial(trial)
