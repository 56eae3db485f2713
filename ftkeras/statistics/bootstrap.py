"""Bootstrap intervals for metrics, over examples and over seeds.

All recipes are evaluated on the same samples of examples, so their differences are paired. A recipe
is a list of runs that differ only in their seed.
"""

import warnings
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ftkeras.statistics import significance

# Size of one array of example weights, chosen to fit a processor's cache.
WEIGHTS_PER_STEP = 1 << 21


@dataclass(frozen=True)
class Tested:
    """The metric that the tests of a comparison concern: the mean of a number for each example.

    Attributes:
        name: of the metric.
        plural: what compare.json calls the values of several runs.
        better: what is said of the better recipe, such as "is more accurate".
        factor: differences are shown multiplied by this.
        unit: of differences that are shown, with a leading blank, or empty.
        decimals: of differences in sentences.
        lower_is_better: whether a lower mean is better.
        compared: what compare.json calls the numbers in which recipes disagree about an example.
        compared_title: the same in words.
    """

    name: str
    plural: str
    better: str
    factor: float = 1.0
    unit: str = ""
    decimals: int = 3
    lower_is_better: bool = False
    compared: str = "predicted"
    compared_title: str = "prediction"


class Table(Protocol):
    """Predictions as columns whose weighted sums give the metrics."""

    def metrics(self, weights: np.ndarray) -> np.ndarray:
        """Return the metrics for each row of example weights, [rows, metrics]."""
        ...


class Predictions(Protocol):
    """One run's predictions.

    Attributes:
        metrics: the names of the metrics, in the order of `Table.metrics`.
        tested: the metric that tests concern, one of `metrics`.
    """

    metrics: tuple[str, ...]
    tested: Tested

    @property
    def truth(self) -> np.ndarray:
        """The true answers, [examples, …], which all runs of a comparison share."""
        ...

    @property
    def scores(self) -> np.ndarray:
        """A number for each example, [examples], whose mean is the tested metric.

        Truth values if it is a count of correct answers, which McNemar's test can compare.
        """
        ...

    @property
    def compared(self) -> np.ndarray:
        """A number for each example, [examples], in which recipes may disagree."""
        ...

    @property
    def shares(self) -> Mapping[str, int]:
        """The metrics that are shares, or means of numbers from 0 to 1, each with their number."""
        ...

    def table(self) -> Table:
        """Return the predictions as columns."""
        ...


def resample(
    recipes: Sequence[Sequence[Predictions]],
    *,
    resamples: int,
    seed: int,
    divisions: Sequence[Sequence[Hashable]] | None = None,
) -> np.ndarray:
    """Compute each recipe's metrics on bootstrap samples, averaged over its runs.

    A sample consists of n of the n examples, drawn with replacement and the same for all recipes,
    and of S − 1 of a recipe's S runs, drawn with replacement (or of its only run). Drawing S runs
    would underestimate the variance between runs by a factor of (S − 1)/S, which matters for two or
    three runs; drawing S − 1 removes this bias.

    Repeats of a cross-validation are drawn in place of runs, each with the mean over its seeds, as
    these share their folds. Recipes with the same divisions into folds share the draws, too.

    Source: Efron, Bootstrap Methods, 1979, https://doi.org/10.1214/aos/1176344552; S − 1 of S: Rao
    and Wu, Resampling Inference with Complex Survey Data, 1988, https://doi.org/10.2307/2288945.

    Args:
        recipes: the runs of each recipe, all on the same examples.
        resamples: number of samples; positive.
        seed: of the random numbers.
        divisions: for each run of each recipe, what identifies its division into folds; those of a
            recipe can be sorted. None if the runs are no cross-validations.

    Returns:
        float [resamples, recipes, metrics], in the order of `Predictions.metrics`; NaN where a
        metric is undefined.
    """
    divisions = divisions or [[None] * len(runs) for runs in recipes]
    rng, run_rngs = np.random.default_rng((seed, 0)), _run_generators(divisions, seed)
    examples = len(recipes[0][0].truth)
    tables = [
        _drawn_together([run.table() for run in runs], own)
        for runs, own in zip(recipes, divisions, strict=True)
    ]
    samples = []
    for weights in _weights(rng, examples, resamples):
        by_recipe = [
            _mean_over_sampled(
                np.stack([np.mean([t.metrics(weights) for t in unit], axis=0) for unit in units]),
                run_rng,
            )
            for units, run_rng in zip(tables, run_rngs, strict=True)
        ]
        samples.append(np.stack(by_recipe, axis=1))
    return np.concatenate(samples)


def evaluate(recipes: Sequence[Sequence[Predictions]]) -> np.ndarray:
    """Compute each recipe's metrics on all examples, averaged over its runs, [recipes, metrics]."""
    weights = np.ones((1, len(recipes[0][0].truth)), np.float32)
    return np.stack(
        [np.mean([run.table().metrics(weights)[0] for run in runs], axis=0) for runs in recipes]
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


def intervals(
    runs: Sequence[Predictions], samples: np.ndarray, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return both ends of the interval of each metric of a recipe, [metrics].

    They are percentile intervals. If all answers of all runs are right, or all are wrong, these
    have no width, because no sample has another answer. Shares that are 0 or 1 then have Wilson's
    interval, by the answers of the run with the fewest. Other metrics have none: NaN.

    Args:
        runs: of the recipe.
        samples: its metrics on bootstrap samples, [samples, metrics].
        confidence: level, between 0 and 1.
    """
    low, high = percentile_interval(samples, confidence)
    values = evaluate([runs])[0]
    for at in np.flatnonzero(np.isclose(low, high, rtol=1e-9, atol=1e-12)):
        count = min(run.shares.get(runs[0].metrics[at], 0) for run in runs)
        is_bound = count > 0 and values[at] in (0, 1)
        ends = significance.wilson(values[at], count, confidence) if is_bound else np.nan
        low[at], high[at] = np.broadcast_to(ends, 2)
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


def _run_generators(
    divisions: Sequence[Sequence[Hashable]], seed: int
) -> list[np.random.Generator]:
    """Return a generator for each recipe, alike for those with the same divisions into folds.

    Otherwise each has its own, so that its metrics do not depend on the other recipes.
    """
    first: dict[Hashable, int] = {}
    keys = [frozenset(own) if len(set(own)) > 1 else n for n, own in enumerate(divisions)]
    numbers = [first.setdefault(key, n) for n, key in enumerate(keys)]
    return [np.random.default_rng((seed, n + 1)) for n in numbers]


def _drawn_together(runs: Sequence[Table], divisions: Sequence[Any]) -> list[list[Table]]:
    """Group a recipe's runs by their division into folds; if there is one only, each is alone."""
    if len(set(divisions)) == 1:
        return [[run] for run in runs]
    groups: dict[Any, list[Table]] = {division: [] for division in sorted(set(divisions))}
    for run, division in zip(runs, divisions, strict=True):
        groups[division].append(run)
    return list(groups.values())


def _mean_over_sampled(metrics: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Average over units that are sampled for each sample, [units, samples, …] to [samples, …]."""
    units, samples = metrics.shape[:2]
    sampled = rng.integers(units, size=(max(1, units - 1), samples))
    return metrics[sampled, np.arange(samples)].mean(axis=0)
