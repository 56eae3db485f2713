import sys

import keras_tuner


class Forgetful(keras_tuner.Oracle):
    """What all oracles have in common: nothing is saved, nothing is counted, nothing is printed.

    The search's ledger does that. KerasTuner's own files are written in place, leave out what some
    oracles go by, and hold a search to the number of trials it was begun with.

    Args:
        objective: a KerasTuner objective.
        hyperparameters: the space.
        seed: at least 0.
        own: what the kind of oracle takes besides.
    """

    # Whether a trial may go on from another's weights.
    continues = False
    # Whether it comes to an end without being told how many trials there are.
    ends = False

    def __init__(self, *, objective, hyperparameters, seed: int, **own):
        super().__init__(
            objective=objective,
            hyperparameters=hyperparameters,
            seed=seed + 1,  # to KerasTuner 0 means any
            allow_new_entries=False,
            tune_new_entries=False,
            # It would raise in the middle of `end_trial`.
            max_consecutive_failed_trials=sys.maxsize,
            **own,
        )
        self.verbose = 0

    def save(self):
        """Nothing."""

    def _save_trial(self, trial):
        """Nothing."""
