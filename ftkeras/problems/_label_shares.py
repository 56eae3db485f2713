"""The first bias of a head and the loss of chance, from the shares of labels."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


def log_odds(targets: np.ndarray, weights: Any) -> np.ndarray:
    """Return the log-odds of each label, with half an example added on both sides.

    Source: Lin et al., 2017, https://arxiv.org/abs/1708.02002, section 4.1, for one share.

    Args:
        targets: 0 or 1, [examples, labels].
        weights: the weight of positive examples, of each label or of all.

    Returns:
        float32 [labels], finite.
    """
    positive = targets.sum(0) + 0.5
    odds = positive / (len(targets) + 1 - positive)
    weights = np.asarray(weights)
    # `balanced` gives weight 0 to a label that all examples have; half an example is left then.
    weights = np.where(weights > 0, weights, 0.5 / positive)
    return np.log(odds * weights).astype("float32")


def mean_entropy(counts: Sequence[int], examples: int) -> float:
    """Return the mean entropy of the labels, -p log p - (1 - p) log(1 - p).

    >>> round(mean_entropy([2, 0], 4), 4)
    0.3466
    """
    shares = [count / examples for count in counts]
    entropies = [-p * math.log(p) - (1 - p) * math.log(1 - p) for p in shares if 0 < p < 1]
    return sum(entropies) / len(shares)
