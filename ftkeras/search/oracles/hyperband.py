import copy
import math

import keras_tuner
from keras_tuner.oracles import HyperbandOracle

from ftkeras.search.oracles._base import Forgetful


class Hyperband(Forgetful, HyperbandOracle):
    """Many settings for few epochs, the best of them for more, `--epochs` at most.

    A bracket begins with n settings of r epochs; of each round the best 1/factor go on, from the
    weights they have, to factor times as many epochs. Later brackets begin with fewer settings and
    more epochs each.

    Source: Li et al., Hyperband, JMLR 18, 2018, https://jmlr.org/papers/v18/16-558.html.

    Args:
        factor: by which settings become fewer and epochs more; at least 2.
        iterations: how often to go through all brackets; at least 1.
    """

    continues = ends = True

    def __init__(
        self,
        *,
        objective,
        hyperparameters,
        seed: int,
        max_epochs: int,
        factor: int = 3,
        iterations: int = 1,
    ):
        for name, value, least in (("factor", factor, 2), ("iterations", iterations, 1)):
            if not (isinstance(value, int) and value >= least):
                raise ValueError(f"`{name}` must be at least {least}. Received: {value!r}.")
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
        # A failed trial that had no score would be waited for, and its bracket never go on.
        if trial.status == "FAILED":
            worst = -math.inf if self.objective.direction == "max" else math.inf
            self.update_trial(trial.trial_id, {self.objective.name: worst})
            trial = copy.copy(trial)
            trial.status = "COMPLETED"
        super().end_trial(trial)
