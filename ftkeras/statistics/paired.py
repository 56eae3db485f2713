"""Means of paired differences."""

from dataclasses import dataclass

import numpy as np

from ftkeras.statistics.significance import wilson

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Mean:
    """A mean with its interval.

    Attributes:
        value: the mean.
        low, high: the ends; None if there is none.
    """

    value: float
    low: float | None
    high: float | None


def mean(differences: np.ndarray, confidence: float = CONFIDENCE) -> Mean:
    """Return the mean of paired differences, and Student's interval.

    mean ± t(0.5 + confidence / 2, n - 1) · s / √n

    Equal differences don't tell how far others are: they have no interval.

    Args:
        differences: one for each pair, [n], n at least 2.
        confidence: of the interval.

    >>> estimate = mean(np.array([1.0, 2.0, 3.0]))
    >>> round(estimate.value, 3), round(estimate.low, 3), round(estimate.high, 3)
    (2.0, -0.484, 4.484)
    """
    from scipy import stats

    values, n = np.asarray(differences, float), len(differences)
    center = float(values.mean())
    if np.ptp(values) < 1e-12:
        return Mean(center, None, None)
    half = stats.t.ppf(0.5 + confidence / 2, n - 1) * values.std(ddof=1) / np.sqrt(n)
    return Mean(center, center - float(half), center + float(half))


def difference(first: np.ndarray, second: np.ndarray, confidence: float = CONFIDENCE) -> Mean:
    """Return the mean of the first scores less that of the second, with its interval.

    It is Newcombe's of scores that are 0 or 1, which has a width even if no score differs, and
    Student's of others; see `mean`.

    Args:
        first: a score of each example, [n], n at least 2.
        second: another one of the same examples.
        confidence: of the interval.
    """
    one, other = np.asarray(first, float), np.asarray(second, float)
    if np.isin([one, other], (0, 1)).all():
        return Mean(float(one.mean() - other.mean()), *_newcombe(one, other, confidence))
    return mean(one - other, confidence)


def _newcombe(first: np.ndarray, second: np.ndarray, confidence: float) -> tuple[float, float]:
    """Return the interval of the difference of two paired proportions.

    It is made of Wilson's intervals of both, with their correlation, of which a positive one is
    corrected for continuity.

    Source: Newcombe, Improved Confidence Intervals for the Difference between Binomial Proportions
    Based on Paired Data, Statistics in Medicine 17, 1998, method 10,
    https://doi.org/10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C.
    """
    n, p, q = len(first), float(first.mean()), float(second.mean())
    (l1, u1), (l2, u2) = wilson(p, n, confidence), wilson(q, n, confidence)
    common = n**2 * (float(first @ second) / n - p * q)  # a · d − b · c of the table of counts
    if common > 0:
        common = max(common - n / 2, 0.0)
    spread = n**2 * np.sqrt(p * (1 - p) * q * (1 - q))
    phi = common / spread if spread > 0 else 0.0

    def side(at: float, to: float) -> float:
        return float(np.sqrt(at**2 - 2 * phi * at * to + to**2))

    return p - q - side(p - l1, u2 - q), p - q + side(u1 - p, q - l2)
