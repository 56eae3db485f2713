"""Hyperband."""

import copy
import itertools
import math

import keras_tuner
from keras_tuner.oracles import HyperbandOracle

from ftkeras.search import keras_tuner_compat
from ftkeras.search.oracles import TIES
from ftkeras.search.oracles._base import Stateless
from ftkeras.support import bounds


class Hyperband(Stateless, HyperbandOracle):
    """Train many settings for few epochs, and the best of them for more epochs.

    A bracket starts with n settings that train for r epochs. After each round, the best 1/factor of
    them continue from their weights to factor times as many epochs, up to `--epochs`. Later
    brackets start with fewer settings and more epochs each. If the space has no more settings, the
    bracket continues with those that it has. Ties go to the lower loss, then to fewer epochs. A
    failed trial is never continued. If too few others are left, places in the next round stay
    empty.

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
        keras_tuner_compat.limit_samples(self)
        # Settings of the first round, by the number of a bracket that had to do with fewer.
        self._fewer: dict[int, int] = {}
        self._failed: set[str] = set()

    def populate_space(self, trial_id):
        for entries in keras_tuner_compat.rounds(self):
            entries.sort(key=self._ties)  # KerasTuner continues the first of equal scores
        proposal = super().populate_space(trial_id)
        for entry in itertools.chain(*keras_tuner_compat.rounds(self)):
            if entry["id"] == trial_id and entry["past_id"] in self._failed:
                entry["id"] = entry["past_id"]  # it takes its place without running
                return self.populate_space(trial_id)
        return proposal

    def _ties(self, entry):
        metrics = self.trials[entry["id"]].metrics
        return [metrics.get_last_value(n) if metrics.exists(n) else math.inf for n in TIES]

    def _random_trial(self, trial_id, bracket):
        proposal = keras_tuner_compat.random_trial(self, trial_id, bracket)
        started = len(bracket["rounds"][0])
        if proposal["status"] == "RUNNING" or not started:
            return proposal
        # KerasTuner would wait for new settings for ever, and continue none.
        self._fewer[bracket["bracket_num"]] = started
        return self.populate_space(trial_id)

    def _get_size(self, bracket_num, round_num):
        size = keras_tuner_compat.round_size(self, bracket_num, round_num)
        started = self._fewer.get(bracket_num)
        return size if started is None else min(size, math.ceil(started / self.factor**round_num))

    @keras_tuner.synchronized
    def end_trial(self, trial):
        # KerasTuner would wait for the score of a failed trial, and its bracket would never end.
        if trial.status == "FAILED":
            worst = -math.inf if self.objective.direction == "max" else math.inf
            self.update_trial(trial.trial_id, {self.objective.name: worst})
            self._failed.add(trial.trial_id)
            trial = copy.copy(trial)
            trial.status = "COMPLETED"
        super().end_trial(trial)
