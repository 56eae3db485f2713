"""Membership inference: tell texts that a model has seen from others by their losses."""

from dataclasses import dataclass

import numpy as np

# A share of false positives needs this many times its inverse of texts that were not seen.
LEAST_FALSE_POSITIVES = 1
RESAMPLES = 1000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Rate:
    """The share of seen texts that are recognized while few others are taken for seen.

    Attributes:
        false_positives: the largest share of others that may be taken for seen.
        value: the share of seen texts that are recognized.
        low, high: the 95 % interval.
    """

    false_positives: float
    value: float
    low: float
    high: float


def auc(members: np.ndarray, others: np.ndarray) -> tuple[float, float, float]:
    """Return the area under the ROC curve, and its 95 % interval.

    It is the probability that a random member has a larger number than a random other text, with
    ties as one half: 0.5 if the numbers say nothing. The variance is DeLong's.

    Source: DeLong, DeLong and Clarke-Pearson, 1988, https://doi.org/10.2307/2531595; with
    mid-ranks, Sun and Xu, 2014, https://doi.org/10.1109/LSP.2014.2337313.

    Args:
        members: the numbers of texts that were seen, [m], m at least 2.
        others: those of texts that were not, [n], n at least 2.

    >>> auc(np.array([2.0, 3, 4, 5]), np.array([1.0, 1, 1, 4.5]))[0]
    0.8125
    """
    from scipy import stats

    m, n = len(members), len(others)
    ranks = stats.rankdata(np.concatenate([members, others]))
    above = (ranks[:m] - stats.rankdata(members)) / n  # share of others below each member
    below = 1 - (ranks[m:] - stats.rankdata(others)) / m  # share of members above each other
    area = float(above.mean())
    half = stats.norm.ppf(0.5 + CONFIDENCE / 2) * np.sqrt(
        above.var(ddof=1) / m + below.var(ddof=1) / n
    )
    return area, max(0.0, area - float(half)), min(1.0, area + float(half))


def rate(
    members: np.ndarray, others: np.ndarray, false_positives: float, *, seed: int = 0
) -> Rate | None:
    """Return the true-positive rate at a rate of false positives; None with too few other texts.

    A text is taken for seen if its number is above a threshold, the smallest with which no more
    than that share of the others is. The interval is that of the percentile bootstrap, in which
    both kinds of texts are drawn again, and the threshold is chosen again.

    Source: Carlini et al., Membership Inference Attacks From First Principles, 2022,
    https://arxiv.org/abs/2112.03570.

    Args:
        members: the numbers of texts that were seen, [m].
        others: those of texts that were not, [n].
        false_positives: in (0, 1); needs at least 1 / false_positives others.
        seed: of the bootstrap.

    >>> rate(np.arange(200.0), np.arange(100.0), 0.01).value
    0.505
    """
    if len(others) * false_positives < LEAST_FALSE_POSITIVES:
        return None
    rng = np.random.default_rng(seed)
    samples = [
        _rate(rng.choice(members, len(members)), rng.choice(others, len(others)), false_positives)
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(samples, [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2])
    value = _rate(members, others, false_positives)
    return Rate(false_positives, value, float(low), float(high))


def _rate(members: np.ndarray, others: np.ndarray, false_positives: float) -> float:
    allowed = int(np.floor(false_positives * len(others) + 1e-9))
    threshold = np.partition(others, len(others) - 1 - allowed)[len(others) - 1 - allowed]
    return float((members > threshold).mean())
