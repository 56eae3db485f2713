"""The base class of the oracles."""

import sys
from typing import Any

import keras_tuner


class Stateless(keras_tuner.Oracle):
    """An oracle that saves nothing, counts no trials and prints nothing.

    The search's ledger does that instead. KerasTuner rewrites its own files in place, omits part of
    some oracles' state, and fixes the number of trials when a search starts.

    Args:
        objective: a KerasTuner objective.
        hyperparameters: the space.
        seed: at least 0.
        options: further arguments of the KerasTuner oracle.
    """

    continues = False
    ends = False

    def __init__(
        self,
        *,
        objective: keras_tuner.Objective,
        hyperparameters: keras_tuner.HyperParameters,
        seed: int,
        **options: Any,
    ):
        super().__init__(
            objective=objective,
            hyperparameters=hyperparameters,
            seed=seed + 1,  # KerasTuner replaces 0 by a random seed
            allow_new_entries=False,
            tune_new_entries=False,
            # Beyond this number `end_trial` would raise; the ledger has a limit of its own.
            max_consecutive_failed_trials=sys.maxsize,
            **options,
        )
        self.verbose = 0

    def save(self):
        """Do nothing."""

    def _save_trial(self, trial):
        """Do nothing."""
