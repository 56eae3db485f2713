"""Calibration: whether what a model says with probability p is true in a share p of the cases.

The probabilities of one answer, or of several decisions, for each example are `Forecasts`. Their
reliability is measured in bins; see `bins`. A temperature changes the probabilities without
changing which of them is larger; see `fit_temperature`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftkeras.errors import UserError
from ftkeras.statistics import bootstrap
from ftkeras.statistics.ratios import SMALLEST_PROBABILITY

BINS = 15
# Parts of a bin whose forecasts are drawn together, as if they had the same probability.
PARTS = 20
# A temperature beyond these says that the answers can be separated, or not be told apart, at all.
LOWEST, HIGHEST = 0.05, 20.0
WIDTH, MASS = "width", "mass"
MEASURES = ("ece", "nll", "brier")


@dataclass(frozen=True)
class Forecasts:
    """Statements of a model with their probabilities, and whether each was true.

    Attributes:
        probabilities: of what the model says, float [examples, forecasts]; of a classifier's label,
            or of each label if each is decided on its own.
        outcomes: whether it is true, 0 or 1 [examples, forecasts].
        of_truth: the probability given to what is true, float [examples, forecasts].
        brier: the Brier score of each forecast, float [examples, forecasts].
    """

    probabilities: np.ndarray
    outcomes: np.ndarray
    of_truth: np.ndarray
    brier: np.ndarray

    @classmethod
    def of_classes(cls, labels: np.ndarray, probabilities: np.ndarray) -> "Forecasts":
        """Return the forecast of the most probable class of each example.

        The Brier score is the sum over classes of (p - y)², halved for two classes, so that it is
        that of the second class: as scikit-learn's.

        Args:
            labels: the true classes, integer [examples].
            probabilities: float [examples, classes].
        """
        rows, classes = np.arange(len(labels)), probabilities.shape[1]
        best = probabilities.argmax(axis=1)
        error = probabilities - np.eye(classes)[labels]
        brier = np.square(error).sum(axis=1) / (2 if classes == 2 else 1)
        columns = probabilities[rows, best], best == labels, probabilities[rows, labels], brier
        return cls(*(np.asarray(column, float)[:, None] for column in columns))

    @classmethod
    def of_labels(cls, targets: np.ndarray, probabilities: np.ndarray) -> "Forecasts":
        """Return a forecast for each label of each example.

        Args:
            targets: the true labels, 0 or 1 [examples, labels].
            probabilities: float [examples, labels].
        """
        outcomes, p = targets.astype(float), np.asarray(probabilities, float)
        of_truth = np.where(targets == 1, p, 1 - p)
        return cls(p, outcomes, of_truth, np.square(p - outcomes))

    def __len__(self) -> int:
        return len(self.probabilities)

    def measure(self, count: int = BINS) -> dict[str, float]:
        """Return the expected calibration error, the negative log-likelihood and the Brier score.

        >>> right, p = np.array([1, 1, 0, 1]), np.full((4, 2), [0.25, 0.75])
        >>> measured = Forecasts.of_classes(right, p).measure()
        >>> measured["ece"], round(measured["nll"], 4), measured["brier"]
        (0.0, 0.5623, 0.1875)
        """
        values = bootstrap.evaluate([[_Resampled(self, count)]])[0].tolist()
        return dict(zip(MEASURES, values, strict=True))

    def intervals(
        self, *, resamples: int = 1000, seed: int = 0, confidence: float = 0.95
    ) -> dict[str, tuple[float, float]]:
        """Return a bootstrap interval of each number of `measure`, over examples.

        The calibration error of a sample is larger than that of all examples, as its bins hold more
        chance. The interval is therefore the percentile interval, shifted by how much the samples'
        median differs from the value, and cut at 0.

        The value itself holds chance too, so it and its interval are too large, most of all with
        few examples. The low end is 0 if the error is not larger than `error_by_chance`.
        """
        own = _Resampled(self, BINS)
        samples = bootstrap.resample([[own]], resamples=resamples, seed=seed)[:, 0]
        values = bootstrap.evaluate([[own]])[0]
        shift = np.median(samples, axis=0) - values
        low, high = bootstrap.percentile_interval(samples - shift, confidence)
        ece = MEASURES.index("ece")
        if values[ece] <= self.error_by_chance(confidence=confidence, seed=seed):
            low[ece] = 0
        ends = zip(np.maximum(low, 0).tolist(), np.maximum(high, 0).tolist(), strict=True)
        return dict(zip(MEASURES, ends, strict=True))

    def error_by_chance(
        self, *, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
    ) -> float:
        """Return the calibration error that calibrated forecasts like these rarely exceed.

        It is a quantile of the errors of samples whose outcomes are drawn from the probabilities
        themselves, each forecast on its own ("consistency resampling").

        Source: Bröcker and Smith, 2007, https://doi.org/10.1175/WAF993.1; Vaicenavicius et al.,
        2019, section 5, https://proceedings.mlr.press/v89/vaicenavicius19a.html.

        Args:
            confidence: the share of calibrated forecasts with a smaller error.
            resamples: number of samples; positive.
            seed: of the random numbers.

        >>> sure = Forecasts.of_labels(np.ones((100, 1)), np.ones((100, 1)))
        >>> unsure = Forecasts.of_labels(np.ones((100, 1)), np.full((100, 1), 0.5))
        >>> sure.error_by_chance(), round(unsure.error_by_chance(), 2)
        (0.0, 0.1)
        """
        p, parts = self.probabilities.ravel(), BINS * PARTS
        where = _bin_numbers(p, np.linspace(0, 1, parts + 1))
        counts = np.bincount(where, minlength=parts)
        expected = np.bincount(where, weights=p, minlength=parts)
        means = np.clip(expected / np.maximum(counts, 1), 0, 1)
        drawn = np.random.default_rng(seed).binomial(counts, means, (resamples, parts))
        by_bin = (drawn - expected).reshape(resamples, BINS, PARTS).sum(axis=2)
        return float(np.quantile(np.abs(by_bin).sum(axis=1) / len(p), confidence))


@dataclass(frozen=True)
class Bin:
    """Forecasts with similar probabilities.

    Attributes:
        low, high: the bounds of the probabilities.
        count: of forecasts.
        mean: of their probabilities.
        share: of them that turned out to be true.
    """

    low: float
    high: float
    count: int
    mean: float
    share: float


def bins(forecasts: Forecasts, count: int = BINS, equal: str = WIDTH) -> list[Bin]:
    """Return the bins of a reliability diagram that are not empty.

    Args:
        forecasts: what is said and what is true.
        count: of bins, at least 1.
        equal: "width", so that bins have the same width; or "mass", so that they hold about the
            same number of forecasts.

    >>> p, y = np.array([[0.1], [0.3], [0.8], [0.9]]), np.array([[0], [1], [1], [1]])
    >>> [(b.count, round(b.mean, 2), b.share) for b in bins(Forecasts.of_labels(y, p), 2)]
    [(2, 0.2, 0.5), (2, 0.85, 1.0)]
    """
    p, y = forecasts.probabilities.ravel(), forecasts.outcomes.ravel()
    edges = _edges(p, count, equal)
    where = _bin_numbers(p, edges)
    size = len(edges) - 1
    counts = np.bincount(where, minlength=size)
    sums = [np.bincount(where, weights=values, minlength=size) for values in (p, y)]
    return [
        Bin(float(edges[n]), float(edges[n + 1]), int(k), *(float(s[n] / k) for s in sums))
        for n, k in enumerate(counts)
        if k
    ]


def calibration_error(forecast_bins: Sequence[Bin]) -> float:
    """Return the expected calibration error: the mean of |share - mean probability|, by count.

    Source: Naeini, Cooper and Hauskrecht, 2015, https://doi.org/10.1609/aaai.v29i1.9602.

    >>> calibration_error([Bin(0, 0.5, 1, 0.25, 0.0), Bin(0.5, 1, 3, 0.75, 0.75)])
    0.0625
    """
    total = sum(one.count for one in forecast_bins)
    return sum(one.count * abs(one.share - one.mean) for one in forecast_bins) / total


def fit_temperature(loss: Callable[[float], float]) -> float:
    """Return the temperature T with the lowest loss of the outputs divided by T.

    The negative log-likelihood is convex in 1 / T, so it has one minimum.
    Source: Guo et al., On Calibration of Modern Neural Networks, 2017, section 4.2,
    https://arxiv.org/abs/1706.04599.

    Args:
        loss: temperature -> mean negative log-likelihood of the validation split.

    Returns:
        The temperature, between 0.05 and 20.

    >>> round(fit_temperature(lambda t: (1 / t - 0.5) ** 2), 4)
    2.0
    """
    from scipy import optimize

    ends = np.log([LOWEST, HIGHEST])
    minimum: Any = optimize.minimize_scalar(
        lambda log: loss(float(np.exp(log))), bounds=tuple(ends), options={"xatol": 1e-7}
    )
    return float(np.exp(minimum.x))


def coverage_curve(
    confidence: np.ndarray, correct: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the coverage and accuracy of answering only the texts with the highest confidence.

    Args:
        confidence: of each answer, float [examples].
        correct: whether it is right, or its score, [examples].

    Returns:
        Thresholds, in descending order; the share of texts whose confidence is at least that; and
        the mean of `correct` over these. All float [distinct values of confidence].

    >>> thresholds, coverage, accuracy = coverage_curve(np.array([0.9, 0.5, 0.5]), [1, 1, 0])
    >>> coverage.round(2).tolist(), accuracy.round(2).tolist()
    ([0.33, 1.0], [1.0, 0.67])
    """
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)  # of equal ones
    right = np.cumsum(np.asarray(correct, float)[order])[last]
    return ranked[last], (last + 1) / len(ranked), right / (last + 1)


def threshold_for(
    confidence: np.ndarray, correct: np.ndarray, accuracy: float
) -> tuple[float, float] | None:
    """Return the lowest threshold of confidence above which the answers are accurate enough.

    Args:
        confidence: of each answer, float [examples].
        correct: whether it is right, or its score, [examples].
        accuracy: required, from 0 to 1.

    Returns:
        The threshold, and the share of texts that are answered; None if no threshold is enough.

    Raises:
        UserError: the accuracy is not between 0 and 1.

    >>> threshold_for(np.array([0.9, 0.8, 0.7]), np.array([1, 1, 0]), 0.9)
    (0.8, 0.6666666666666666)
    """
    if not 0 <= accuracy <= 1:
        raise UserError(f"`accuracy` must be from 0 to 1. Received: {accuracy}.")
    thresholds, coverage, accuracies = coverage_curve(confidence, correct)
    enough = np.flatnonzero(accuracies >= accuracy)
    if not len(enough):
        return None
    return float(thresholds[enough[-1]]), float(coverage[enough[-1]])


def _edges(p: np.ndarray, count: int, equal: str) -> np.ndarray:
    """Return the edges of the bins, [bins + 1]; equal probabilities are in one bin."""
    if count < 1:
        raise ValueError(f"`count` must be at least 1. Received: {count}.")
    if equal not in (WIDTH, MASS):
        raise ValueError(f"`equal` must be {WIDTH!r} or {MASS!r}. Received: {equal!r}.")
    if equal == WIDTH:
        return np.linspace(0, 1, count + 1)
    inner = np.quantile(p, np.arange(1, count) / count)
    return np.concatenate([[0.0], np.unique(inner[(inner > 0) & (inner < 1)]), [1.0]])


def _bin_numbers(p: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the number of each probability's bin; one on an edge is in the bin above."""
    return np.searchsorted(edges[1:-1], p, side="right")


class _Resampled:
    """Forecasts as `bootstrap.Predictions`, of which only `truth` and `table` are used here."""

    def __init__(self, forecasts: Forecasts, count: int):
        self.metrics: tuple[str, ...] = MEASURES
        self.tested = bootstrap.Tested("nll", "nlls", "is better", lower_is_better=True)
        self._forecasts, self._count = forecasts, count

    @property
    def truth(self) -> np.ndarray:
        return self._forecasts.outcomes

    @property
    def scores(self) -> np.ndarray:
        return self._nll()

    @property
    def compared(self) -> np.ndarray:
        return self._nll()

    @property
    def shares(self) -> dict[str, int]:
        return {}

    def table(self) -> "_Table":
        f = self._forecasts
        edges = _edges(f.probabilities, self._count, WIDTH)
        difference, where = f.outcomes - f.probabilities, _bin_numbers(f.probabilities, edges)
        # How much each example adds to the difference of each bin, the mean over its forecasts.
        by_bin = np.stack(
            [np.where(where == n, difference, 0).mean(axis=1) for n in range(self._count)], axis=1
        )
        return _Table(np.column_stack([by_bin, self._nll(), f.brier.mean(axis=1)]))

    def _nll(self) -> np.ndarray:
        least = np.maximum(self._forecasts.of_truth, SMALLEST_PROBABILITY)
        return -np.log(least).mean(axis=1)


class _Table:
    def __init__(self, columns: np.ndarray):
        self._columns = columns

    def metrics(self, weights: np.ndarray) -> np.ndarray:
        weights = weights.astype(float)
        means = weights @ self._columns / weights.sum(axis=1, keepdims=True)
        return np.column_stack([np.abs(means[:, :-2]).sum(axis=1), means[:, -2:]])
