import warnings

from keras_tuner.oracles import BayesianOptimizationOracle

from ftkeras.search.oracles._base import Forgetful


class Bayesian(Forgetful, BayesianOptimizationOracle):
    """Where a Gaussian process over the trials so far promises most.

    next setting = arg min mean(x) − beta · sd(x)

    The process (Matérn 5/2) is fitted to scores that are to be minimised and have mean 0, variance
    1; a setting is x in [0, 1]^parameters. One that was tried already is replaced by a random one.

    Source: Srinivas et al., Gaussian process optimization in the bandit setting, ICML 2010,
    https://arxiv.org/abs/0912.3995.

    Args:
        initial: trials drawn at random before the process is asked; at least 2. None for one more
            than there are parameters, but at least 3.
        beta: how much uncertainty is worth; at least 0.
        noise: variance of a score from seed to seed, as a share of its variance from setting to
            setting; positive.
    """

    def __init__(
        self,
        *,
        objective,
        hyperparameters,
        seed: int,
        initial: int | None = None,
        beta: float = 2.6,
        noise: float = 1e-4,
    ):
        if initial is None:
            initial = max(3, len(hyperparameters.space) + 1)
        if not (isinstance(initial, int) and initial >= 2):
            raise ValueError(f"`initial` must be at least 2 trials. Received: {initial!r}.")
        if not beta >= 0:
            raise ValueError(f"`beta` must be at least 0. Received: {beta}.")
        if not noise > 0:
            raise ValueError(f"`noise` must be positive. Received: {noise}.")
        super().__init__(
            objective=objective,
            hyperparameters=hyperparameters,
            seed=seed,
            max_trials=None,
            num_initial_points=initial,
            alpha=noise,
            beta=beta,
        )

    def populate_space(self, trial_id):
        with warnings.catch_warnings():
            # scikit-learn minds a length scale at its bound, which few points often have.
            warnings.simplefilter("ignore")
            found = super().populate_space(trial_id)
        if found["values"] is not None and self._duplicate(found["values"]):
            return self._random_populate_space()
        return found
