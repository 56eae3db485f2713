"""Confident learning: which labels are probably wrong, by out-of-fold probabilities.

Source: Northcutt et al., 2021, sections 3 and 4, https://doi.org/10.1613/jair.1.12125.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Doubts:
    """The result of confident learning about labels.

    Attributes:
        is_doubtful: whether the label is probably wrong, bool [examples].
        suggested: the class that is probably right, integer [examples]; the label if it is not
            doubtful.
        margin: the probability of the label minus that of the most probable other class, from -1 to
            1, [examples]. The lowest are the most doubtful.
        thresholds: the mean probability of each class over the examples with that label, [classes];
            infinite if no example has it.
    """

    is_doubtful: np.ndarray
    suggested: np.ndarray
    margin: np.ndarray
    thresholds: np.ndarray

    def ranked(self) -> np.ndarray:
        """Return the positions of the doubtful labels, the most doubtful first."""
        doubtful = np.flatnonzero(self.is_doubtful)
        return doubtful[np.argsort(self.margin[doubtful], kind="stable")]


def doubt(labels: np.ndarray, probabilities: np.ndarray) -> Doubts:
    """Find labels that are probably wrong.

    An example is confidently of a class if the class's probability is at least its threshold, the
    mean of this probability over the examples that have the class as their label; of several such
    classes, it is of the most probable one. Its label is doubtful if it is confidently of another
    class: these are the counts off the diagonal of the paper's confident joint. They are ranked by
    the normalized margin.

    Args:
        labels: integer [examples].
        probabilities: out of fold, [examples, classes]: those of a model that was trained without
            the example.

    >>> labels = np.array([0, 0, 0, 1, 1, 1])
    >>> p = np.array([0.1, 0.2, 0.9, 0.9, 0.8, 0.3])  # of class 1
    >>> doubt(labels, np.stack([1 - p, p], axis=1)).ranked().tolist()
    [2, 5]
    """
    every, classes = np.arange(len(labels)), probabilities.shape[1]
    own = probabilities[every, labels]
    counts = np.bincount(labels, minlength=classes)
    sums = np.bincount(labels, weights=own, minlength=classes)
    thresholds = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    # A mean of equal numbers may be a rounding error above each of them.
    is_confident = probabilities >= thresholds - 1e-6
    best = np.where(is_confident, probabilities, -1.0).argmax(axis=1)
    suggested = np.where(is_confident.any(axis=1), best, labels)
    others = probabilities.astype(np.float64)
    others[every, labels] = -np.inf
    return Doubts(suggested != labels, suggested, own - others.max(axis=1), thresholds)
