"""Bayesian optimization."""

import warnings

import keras_tuner
from keras_tuner.oracles import BayesianOptimizationOracle

from ftkeras.search import keras_tuner_compat
from ftkeras.search.oracles._base import Stateless
from ftkeras.support import bounds


class Bayesian(Stateless, BayesianOptimizationOracle):
    """Try the setting that looks best to a Gaussian process fitted to the trials so far.

    next setting = arg min mean(x) − beta · sd(x)

    x in [0, 1]^parameters is a setting. The process (Matérn 5/2) is fitted to scores, which are
    standardized to mean 0 and variance 1, and negated if higher is better. A setting that was
    already tried is replaced by a random one.

    Source: Srinivas et al., Gaussian process optimization in the bandit setting, ICML 2010,
    https://arxiv.org/abs/0912.3995.

    Args:
        initial: number of random trials before the process is used; at least 2. None for the number
            of parameters plus one, but at least 3.
        beta: weight of the uncertainty; at least 0. Larger values explore more.
        noise: variance of a score between seeds, relative to its variance between settings;
            positive.
    """

    def __init__(
        self,
        *,
        objective: keras_tuner.Objective,
        hyperparameters: keras_tuner.HyperParameters,
        seed: int,
        initial: int | None = None,
        beta: float = 2.6,
        noise: float = 1e-4,
    ):
        if initial is None:
            initial = max(3, len(hyperparameters.space) + 1)
        bounds.integer(2, initial=initial)
        bounds.not_negative(beta=beta)
        bounds.positive(noise=noise)
        super().__init__(
            objective=objective,
            hyperparameters=hyperparameters,
            seed=seed,
            max_trials=None,
            num_initial_points=initial,
            alpha=noise,
            beta=beta,
        )
        keras_tuner_compat.limit_samples(self)

    def populate_space(self, trial_id):
        with warnings.catch_warnings():
            # With few points, scikit-learn often warns of a length scale at its bound.
            warnings.simplefilter("ignore")
            proposal = super().populate_space(trial_id)
        values = proposal["values"]
        if values is not None and keras_tuner_compat.was_tried(self, values):
            return keras_tuner_compat.untried(self)
        return proposal
