"""Bootstrap intervals for the metrics of classifiers, over examples and over seeds.

All recipes are evaluated on the same samples of examples, so their differences are paired. A recipe
is a list of runs that differ only in their seed.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

METRICS = ("accuracy", "log_loss", "precision", "recall", "f1", "auc")
# Size of one array of example weights, chosen to fit a processor's cache.
WEIGHTS_PER_STEP = 1 << 21
# Probabilities below this are written as 0 in a file of predictions.
SMALLEST_PROBABILITY = 5e-8


@dataclass(frozen=True)
class Predictions:
    """One run's predictions.

    Attributes:
        labels: the true classes, integer [examples].
        probabilities: of each class, float [examples, classes].
    """

    labels: np.ndarray
    probabilities: np.ndarray

    @property
    def correct(self) -> np.ndarray:
        """True for each correct prediction, bool [examples]."""
        return self.probabilities.argmax(axis=1) == self.labels

    @property
    def true_probabilities(self) -> np.ndarray:
        """The probability given to each true label, float [examples]."""
        return self.probabilities[np.arange(len(self.labels)), self.labels]


def resample(recipes: Sequence[Sequence[Predictions]], *, resamples: int, seed: int) -> np.ndarray:
    """Compute each recipe's metrics on bootstrap samples, averaged over its runs.

    A sample consists of n of the n examples, drawn with replacement and the same for all recipes,
    and of S − 1 of a recipe's S runs, drawn with replacement (or of its only run). Drawing S runs
    would underestimate the variance between runs by a factor of (S − 1)/S, which matters for two or
    three runs; drawing S − 1 removes this bias.

    Source: Efron, Bootstrap Methods, 1979, https://doi.org/10.1214/aos/1176344552; S − 1 of S: Rao
    and Wu, Resampling Inference with Complex Survey Data, 1988, https://doi.org/10.2307/2288945.

    Args:
        recipes: the runs of each recipe, all on the same examples.
        resamples: number of samples; positive.
        seed: of the random numbers.

    Returns:
        float [resamples, recipes, metrics], in the order of METRICS; NaN where a metric is
        undefined.
    """
    # Each recipe has a generator of its own, so its metrics do not depend on the other recipes.
    rng, *run_rngs = (np.random.default_rng((seed, n)) for n in range(len(recipes) + 1))
    examples = len(recipes[0][0].labels)
    tables = [[_Table(run) for run in runs] for runs in recipes]
    samples = []
    for weights in _weights(rng, examples, resamples):
        by_recipe = [
            _mean_over_sampled_runs(np.stack([table.metrics(weights) for table in runs]), run_rng)
            for runs, run_rng in zip(tables, run_rngs, strict=True)
        ]
        samples.append(np.stack(by_recipe, axis=1))
    return np.concatenate(samples)


def evaluate(recipes: Sequence[Sequence[Predictions]]) -> np.ndarray:
    """Compute each recipe's metrics on all examples, averaged over its runs, [recipes, metrics]."""
    weights = np.ones((1, len(recipes[0][0].labels)), np.float32)
    return np.stack(
        [np.mean([_Table(run).metrics(weights)[0] for run in runs], axis=0) for runs in recipes]
    )


def percentile_interval(samples: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Return both ends of the percentile interval over the first axis.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.

    >>> low, high = percentile_interval(np.arange(101.0), 0.9)
    >>> round(float(low)), round(float(high))
    (5, 95)
    """
    ends = np.array([1 - confidence, 1 + confidence]) / 2
    with warnings.catch_warnings():  # a metric that is undefined in all samples has no interval
        warnings.simplefilter("ignore", RuntimeWarning)
        low, high = np.nanquantile(samples, ends, axis=0)
    return low, high


def p_value(differences: np.ndarray) -> float:
    """Return the two-sided p-value of sampled differences, for an expected difference of 0.

    It is the smallest α at which the percentile interval of level 1 − α excludes 0:

    p = 2 · (1 + min(samples ≤ 0, samples ≥ 0)) / (samples + 1)

    Source: Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 4.4.

    >>> p_value(np.ones(99))
    0.02
    """
    tail = min((differences <= 0).sum(), (differences >= 0).sum())
    return float(min(1.0, 2 * (1 + tail) / (len(differences) + 1)))


def _weights(rng: np.random.Generator, examples: int, resamples: int) -> Iterator[np.ndarray]:
    """Yield how often each sample contains each example, float32 [some samples, examples]."""
    step = max(1, WEIGHTS_PER_STEP // examples)
    for first in range(0, resamples, step):
        count = min(step, resamples - first)
        sampled = rng.integers(examples, size=(count, examples), dtype=np.int32)
        sampled += np.arange(count, dtype=np.int32)[:, None] * np.int32(examples)
        counts = np.bincount(sampled.ravel(), minlength=count * examples)
        yield counts.reshape(count, examples).astype(np.float32)


def _mean_over_sampled_runs(metrics: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Average over runs that are sampled for each sample, [runs, samples, …] to [samples, …]."""
    runs, samples = metrics.shape[:2]
    sampled = rng.integers(runs, size=(max(1, runs - 1), samples))
    return metrics[sampled, np.arange(samples)].mean(axis=0)


class _Table:
    """A run's predictions as columns whose weighted sums give the metrics.

    One matrix product then evaluates many bootstrap samples.
    """

    def __init__(self, run: Predictions):
        self._classes = run.probabilities.shape[1]
        actual = np.eye(self._classes, dtype=np.float32)[run.labels]
        predicted = np.eye(self._classes, dtype=np.float32)[run.probabilities.argmax(axis=1)]
        loss = -np.log(np.maximum(run.true_probabilities, SMALLEST_PROBABILITY)).astype(np.float32)
        columns = [actual * predicted, actual, predicted, loss[:, None]]
        self._columns = np.concatenate(columns, axis=1)
        ranked = [1] if self._classes == 2 else range(self._classes)
        self._rankings = [_Ranking(run.probabilities[:, c], actual[:, c] > 0) for c in ranked]

    def metrics(self, weights: np.ndarray) -> np.ndarray:
        """Return the metrics for each row of example weights, [rows, metrics]."""
        sums, total = (weights @ self._columns).astype(float), weights.sum(axis=1, dtype=float)
        correct, actual, predicted = np.split(sums[:, :-1], 3, axis=1)
        precision, recall = _ratio(correct, predicted), _ratio(correct, actual)
        by_class = (precision, recall, _ratio(2 * correct, predicted + actual))
        # As in metrics.json: the second of two classes, or the mean over those that occur.
        occurs = actual > 0
        averaged = [m[:, 1] if self._classes == 2 else _mean(m, occurs) for m in by_class]
        areas = np.stack([ranking.auc(weights) for ranking in self._rankings], axis=1)
        auc = _mean(areas, ~np.isnan(areas))
        accuracy, loss = correct.sum(axis=1) / total, sums[:, -1] / total
        return np.stack([accuracy, loss, *averaged, auc], axis=1)


class _Ranking:
    """The scores of one class in ascending order, for the area under its ROC curve.

    auc = Σ over positives w · (negatives scored lower + half of those scored equal) / (P · N)

    All counts are sums of example weights w; P and N are the sums of positives and of negatives.

    Source: Mann and Whitney, 1947; Fawcett, 2006, https://doi.org/10.1016/j.patrec.2005.10.010.

    Args:
        scores: float [examples].
        positive: bool [examples].
    """

    def __init__(self, scores: np.ndarray, positive: np.ndarray):
        self._order = np.argsort(scores, kind="stable")
        self._positive = positive[self._order].astype(np.float32)
        ranked = scores[self._order]
        self._first = np.searchsorted(ranked, ranked, "left")
        self._last = np.searchsorted(ranked, ranked, "right")

    def auc(self, weights: np.ndarray) -> np.ndarray:
        """Return the area for each row of weights; NaN without a positive or a negative."""
        weights = weights[:, self._order]
        positive = weights * self._positive
        below = np.zeros((len(weights), weights.shape[1] + 1))
        np.cumsum(weights - positive, axis=1, out=below[:, 1:])
        half = (below[:, self._first] + below[:, self._last]) / 2
        pairs = positive.sum(axis=1, dtype=float) * below[:, -1]
        with np.errstate(invalid="ignore"):
            return np.where(pairs > 0, (positive * half).sum(axis=1), np.nan) / np.maximum(pairs, 1)


def _mean(values: np.ndarray, included: np.ndarray) -> np.ndarray:
    """Return the mean of the included values of each row; NaN if there are none."""
    sums, counts = np.where(included, values, 0.0).sum(axis=1), included.sum(axis=1)
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    zeros = np.zeros_like(numerator)
    return np.divide(numerator, denominator, out=zeros, where=denominator > 0)
