"""Quotients and means of weighted counts, some of which may be 0."""

import numpy as np

# A lower probability counts as this, as in files of predictions with seven decimals, where it is 0.
SMALLEST_PROBABILITY = 5e-8


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Return the quotients; 0 where the denominator is not positive.

    >>> ratio(np.array([1.0, 0.0]), np.array([2.0, 0.0])).tolist()
    [0.5, 0.0]
    """
    zeros = np.zeros_like(numerator, dtype=float)
    return np.divide(numerator, denominator, out=zeros, where=denominator > 0)


def f1(correct: np.ndarray, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Return 2 correct / (predicted + actual); 0 if nothing is there and nothing is predicted."""
    return ratio(2 * correct, predicted + actual)


def log_loss(probabilities: np.ndarray) -> np.ndarray:
    """Return -log of the probabilities of right answers, as a file of predictions has them.

    >>> log_loss(np.array([0.25, 0.5])).round(4).tolist()
    [1.3863, 0.6931]
    """
    return -np.log(np.maximum(probabilities, SMALLEST_PROBABILITY))


class WeightedMeans:
    """Columns whose weighted means are the metrics.

    Args:
        *columns: numbers, [examples] or [examples, metrics].
    """

    def __init__(self, *columns: np.ndarray):
        self._columns = np.column_stack(columns).astype(float)

    def metrics(self, weights: np.ndarray) -> np.ndarray:
        """Return the means for each row of weights, [rows, metrics]."""
        weights = weights.astype(float)
        return weights @ self._columns / weights.sum(axis=1, keepdims=True)


def mean_of(values: np.ndarray, included: np.ndarray) -> np.ndarray:
    """Return the mean of the included values of each row; NaN if there are none.

    Args:
        values: float [rows, values].
        included: bool [rows, values].

    >>> mean_of(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[True, True], [False, False]]))
    array([1.5, nan])
    """
    sums, counts = np.where(included, values, 0.0).sum(axis=1), included.sum(axis=1)
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
