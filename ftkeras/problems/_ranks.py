"""The rank of the right answer among all."""

import numpy as np


def middle_ranks(
    scores: np.ndarray, right: np.ndarray, is_right: np.ndarray, *, rounding: float
) -> np.ndarray:
    """Return the rank of each example's right answer by its score, from 1, float [examples].

    Half of the wrong answers with the same score count as better. Without that, a model that gives
    all answers the same score would rank each right one first.

    Args:
        scores: of all answers, [examples, answers].
        right: the score of the right one, [examples].
        is_right: which answers are right, or are no answers, bool [examples, answers].
        rounding: how far scores may differ that count as the same.

    >>> first = np.array([[True, False, False]])
    >>> middle_ranks(np.array([[0.5, 0.5, 0.9]]), np.array([0.5]), first, rounding=0.0)
    array([2.5])
    """
    difference = np.where(is_right, -np.inf, scores - right[:, np.newaxis])
    ties = (np.abs(difference) <= rounding).sum(axis=1)
    return 1 + (difference > rounding).sum(axis=1) + ties / 2
