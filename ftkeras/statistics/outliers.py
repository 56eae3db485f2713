"""Numbers that say how strange a text is to a model: larger for stranger ones."""

from typing import Any

import numpy as np


def one_minus_maximum(logits: np.ndarray) -> np.ndarray:
    """Return 1 minus the largest probability, [n].

    Source: Hendrycks and Gimpel, 2017, https://arxiv.org/abs/1610.02136.

    Args:
        logits: [n, classes].

    >>> one_minus_maximum(np.log([[0.5, 0.5], [0.9, 0.1]])).round(3).tolist()
    [0.5, 0.1]
    """
    values = np.asarray(logits, float)
    return 1 - np.exp(values.max(axis=1) + energy(values))


def energy(logits: np.ndarray) -> np.ndarray:
    """Return -ln Σ exp(logits), [n].

    Source: Liu et al., 2020, https://arxiv.org/abs/2010.03759, at temperature 1.

    Args:
        logits: [n, classes].

    >>> energy(np.log([[1.0, 1.0], [3.0, 1.0]])).round(3).tolist()
    [-0.693, -1.386]
    """
    values = np.asarray(logits, float)
    largest = values.max(axis=1, keepdims=True)
    return -(largest[:, 0] + np.log(np.exp(values - largest).sum(axis=1)))


def mahalanobis(
    vectors: np.ndarray, seen: np.ndarray, groups: np.ndarray | None = None
) -> np.ndarray:
    """Return the squared Mahalanobis distance of vectors to the nearest group of seen ones, [n].

    min over groups g of (x - mean_g)ᵀ Σ⁻¹ (x - mean_g), with one covariance Σ of all groups, by
    Ledoit and Wolf's shrinkage, as there may be fewer vectors than dimensions.

    Source: Lee et al., 2018, https://arxiv.org/abs/1807.03888.

    Args:
        vectors: to judge, [n, size].
        seen: those of the training texts, [m, size], m at least 2.
        groups: the class of each of these, integer [m]; None for one group.
    """
    from scipy.spatial import distance
    from sklearn.covariance import LedoitWolf

    numbers = np.zeros(len(seen), np.int64) if groups is None else np.asarray(groups)
    _, numbers = np.unique(numbers, return_inverse=True)
    means = np.array([seen[numbers == n].mean(axis=0) for n in range(numbers.max() + 1)], float)
    precision: Any = LedoitWolf(assume_centered=True).fit(seen - means[numbers]).get_precision()
    # Times a factor L of Σ⁻¹ = L Lᵀ, the distances are Euclidean ones, which need no array of
    # vectors × groups × size. Not Cholesky's, as Σ⁻¹ is 0 if all vectors are those of their groups.
    variances, axes = np.linalg.eigh(precision)
    factor = axes * np.sqrt(np.maximum(variances, 0))
    return distance.cdist(vectors @ factor, means @ factor, "sqeuclidean").min(axis=1)
