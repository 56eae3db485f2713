"""Means of paired differences."""

from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Mean:
    """A mean with its interval.

    Attributes:
        value: the mean.
        low, high: the ends.
    """

    value: float
    low: float
    high: float


def mean(differences: np.ndarray, confidence: float = CONFIDENCE) -> Mean:
    """Return the mean of paired differences, and Student's interval.

    mean ± t(0.5 + confidence / 2, n - 1) · s / √n

    Args:
        differences: one for each pair, [n], n at least 2.
        confidence: of the interval.

    >>> estimate = mean(np.array([1.0, 2.0, 3.0]))
    >>> round(estimate.value, 3), round(estimate.low, 3), round(estimate.high, 3)
    (2.0, -0.484, 4.484)
    """
    from scipy import stats

    values, n = np.asarray(differences, float), len(differences)
    half = stats.t.ppf(0.5 + confidence / 2, n - 1) * values.std(ddof=1) / np.sqrt(n)
    center = float(values.mean())
    return Mean(center, center - float(half), center + float(half))
