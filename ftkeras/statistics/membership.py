"""Membership inference: tell texts that a model has seen from others by their losses."""

from dataclasses import dataclass

import numpy as np

from ftkeras.statistics.significance import wilson

# A share of false positives needs this many times its inverse of texts that were not seen.
LEAST_FALSE_POSITIVES = 1
RESAMPLES = 1000
CONFIDENCE = 0.95
# The least loss, and the least variance: about what float32 tells from 0.
TINY = 1e-7


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
    mid-ranks, Sun and Xu, 2014, https://doi.org/10.1109/LSP.2014.2337313. If it is 0, the interval
    is Wilson's, of as many texts as the smaller group has.

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
    variance = above.var(ddof=1) / m + below.var(ddof=1) / n
    if variance == 0:  # such as of groups that do not overlap, of which it says nothing
        return area, *wilson(area, min(m, n), CONFIDENCE)
    half = stats.norm.ppf(0.5 + CONFIDENCE / 2) * np.sqrt(variance)
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


def likelihood_ratios(observed: np.ndarray, shadows: np.ndarray, is_in: np.ndarray) -> np.ndarray:
    """Return for each text how much more likely it is that a model has seen it than that not.

    score = log N(observed; mean_in, var_in) - log N(observed; mean_out, var_out)

    The means are those of a text over the shadow models that have seen it, and over the others; the
    variances are pooled over all texts, since there are few shadow models of each. This is the
    online attack with a fixed variance.

    Source: Carlini et al., 2022, algorithm 1 and section VI-B, https://arxiv.org/abs/2112.03570.

    Args:
        observed: the confidence of the attacked model in each text's answer, [texts].
        shadows: that of the shadow models, [models, texts].
        is_in: whether a shadow model has seen a text, bool [models, texts]; each text is in at
            least one model, and not in at least one.

    >>> shadows, is_in = np.array([[3.0, 0.0], [0.0, 3.0]]), np.array([[1, 0], [0, 1]], bool)
    >>> ratios = likelihood_ratios(np.array([3.0, 0.0]), shadows + [[0.1], [-0.1]], is_in)
    >>> bool(ratios[0] > ratios[1])
    True
    """
    from scipy import stats

    log_densities = []
    for mask in (is_in, ~is_in):
        counts = mask.sum(axis=0)
        means = np.where(mask, shadows, 0).sum(axis=0) / counts
        squares = np.where(mask, (shadows - means) ** 2, 0).sum()
        # One degree of freedom for the mean of each text.
        variance = squares / max(1, counts.sum() - len(counts))
        log_densities.append(stats.norm.logpdf(observed, means, np.sqrt(max(variance, TINY))))
    return log_densities[0] - log_densities[1]


def confidence(losses: np.ndarray) -> np.ndarray:
    """Return -log(exp(loss) - 1), which is log(p / (1 - p)) if the loss is -log(p).

    Its distribution over models is about normal. It falls as the loss rises, so that it serves
    other losses of at least 0 too.

    Args:
        losses: [texts].

    >>> confidence(-np.log(np.array([0.2, 0.9]))).round(3)
    array([-1.386,  2.197])
    """
    wide = np.maximum(np.asarray(losses, np.float64), TINY)
    return -(wide + np.log(-np.expm1(-wide)))


def _rate(members: np.ndarray, others: np.ndarray, false_positives: float) -> float:
    allowed = int(np.floor(false_positives * len(others) + 1e-9))
    threshold = np.partition(others, len(others) - 1 - allowed)[len(others) - 1 - allowed]
    return float((members > threshold).mean())
