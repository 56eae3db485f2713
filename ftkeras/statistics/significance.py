"""Intervals over folds, McNemar's test for paired predictions, and Holm's correction.

SciPy supplies the distributions. Its `binomtest` has no mid-p-value, and statsmodels, which has
these tests, would add pandas and patsy to the dependencies for about fifteen lines. SciPy is
imported within functions, because that takes a second, a third of the start of `predict`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A mean with its spread, confidence interval and p-value.

    Attributes:
        mean: of the values.
        sd: standard deviation with n − 1 in the denominator; None for a single value.
        low: lower end of the interval; None for a single value.
        high: upper end of the interval; None for a single value.
        p_value: two-sided, for an expected value of 0; None for a single value.
    """

    mean: float
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None


UNBOUNDED = (-math.inf, math.inf)
MOST_LOG = 700.0  # beyond this, exp overflows


def corrected_t(
    values: Sequence[float] | np.ndarray,
    *,
    test_share: float,
    confidence: float = 0.95,
    limits: tuple[float, float] = UNBOUNDED,
) -> Estimate:
    """Estimate a mean over cross-validation folds with the corrected t interval.

    mean ± t(confidence, J − 1) · √((1/J + test_share) · sd²),     J the number of values

    Student's interval has 1/J alone, which assumes independent folds. But any two folds share most
    of their training data, and repeats share all of it. The second term accounts for the resulting
    covariance.

    The ends of an interval for a bounded metric stay within its limits: they are computed for the
    logit of the mean (the logarithm of its distance from the limit, if only one side is bounded),
    whose standard error follows by the delta method, and transformed back.

    Source: Nadeau and Bengio, Inference for the Generalization Error, Machine Learning 52, 2003,
    section 3, https://doi.org/10.1023/A:1024068626366; for repeated folds: Bouckaert and Frank,
    2004, https://doi.org/10.1007/978-3-540-24775-3_3; logit intervals: Kottas, Kuss and Zapf, 2014,
    https://doi.org/10.1186/1471-2288-14-26.

    Args:
        values: one metric or difference per fold, [J].
        test_share: validation examples divided by training examples of a fold: 1 / (folds − 1).
        confidence: level of the interval, between 0 and 1.
        limits: the smallest and largest value that the metric can have.

    Returns:
        The estimate. With a single value only its mean is known. Equal values do not tell how far
        others are: they have an interval without width and no p-value.

    >>> estimate = corrected_t([0.81, 0.79, 0.83, 0.80, 0.82], test_share=1 / 4)
    >>> round(estimate.mean, 2), round(estimate.low, 3), round(estimate.high, 3)
    (0.81, 0.781, 0.839)
    >>> estimate = corrected_t([0.99, 1.0, 0.95], test_share=1 / 2, limits=(0, 1))
    >>> round(estimate.mean, 2), round(estimate.low, 3), round(estimate.high, 3)
    (0.98, 0.196, 1.0)
    """
    from scipy import stats

    values = np.asarray(values, float)
    mean, count = float(values.mean()), len(values)
    if count < 2:
        return Estimate(mean)
    sd = float(values.std(ddof=1))
    if np.ptp(values) < 1e-12:
        return Estimate(mean, sd, mean, mean)
    error = sd * np.sqrt(1 / count + test_share)
    half = float(error * stats.t.ppf((1 + confidence) / 2, count - 1))
    p_value = float(2 * stats.t.sf(abs(mean) / error, count - 1))
    return Estimate(mean, sd, *_ends(mean, half, limits), p_value)


def _ends(mean: float, half: float, limits: tuple[float, float]) -> tuple[float, float]:
    """Return both ends of mean ± half, computed on a scale on which they stay within the limits.

    Infinitely near the mean, they are mean ± half on any scale.
    """
    lowest, highest = limits
    if limits == UNBOUNDED or half == 0 or not lowest < mean < highest:
        return mean - half, mean + half
    if lowest == -math.inf:
        high, low = _ends(-mean, half, (-highest, math.inf))
        return -low, -high
    if highest == math.inf:
        factor = math.exp(min(half / (mean - lowest), MOST_LOG))
        return lowest + (mean - lowest) / factor, lowest + (mean - lowest) * factor
    share = (mean - lowest) / (highest - lowest)
    half /= (highest - lowest) * share * (1 - share)
    from scipy import special

    low, high = special.expit(special.logit(share) + np.array([-half, half]))
    return lowest + (highest - lowest) * float(low), lowest + (highest - lowest) * float(high)


def mcnemar(first_correct: np.ndarray, second_correct: np.ndarray) -> dict:
    """Test whether two models are correct equally often on the same examples.

    Let b examples be correct by the first model only, c by the second only, n = b + c,
    m = min(b, c):

    exact p = min(1, 2 · P(X ≤ m)),     mid-p = 2 · P(X ≤ m) − P(X = m),     X ~ Binomial(n, 1/2)

    Use the mid-p-value: the exact test is conservative.

    Source: McNemar, 1947, https://doi.org/10.1007/BF02295996; mid-p: Fagerland, Lydersen and Laake,
    The McNemar test for binary matched-pairs data, BMC Medical Research Methodology 13, 2013,
    https://doi.org/10.1186/1471-2288-13-91.

    Args:
        first_correct: whether the first model is correct, bool [examples].
        second_correct: the same for the second model, on the same examples.

    Returns:
        only_first and only_second (b and c), exact_p_value, and p_value (the mid-p-value).

    >>> round(mcnemar(np.arange(10) < 9, np.arange(10) < 10)["p_value"], 3)
    0.5
    """
    from scipy import stats

    only_first = int((first_correct & ~second_correct).sum())
    only_second = int((~first_correct & second_correct).sum())
    count, least = only_first + only_second, min(only_first, only_second)
    both_tails = 2 * stats.binom.cdf(least, count, 0.5)
    return {
        "only_first": only_first,
        "only_second": only_second,
        "exact_p_value": float(min(1.0, both_tails)),
        "p_value": float(min(1.0, both_tails - stats.binom.pmf(least, count, 0.5))),
    }


def wilson(accuracy: float, examples: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval of an accuracy measured on the given number of examples.

    ((p + z² / 2n) ± z · √(p (1 − p) / n + z² / 4n²)) / (1 + z² / n),     p the accuracy, of which
    p · n need not be a whole number, as that of an area under the ROC curve is not.

    Source: Wilson, 1927, https://doi.org/10.1080/01621459.1927.10502953.

    >>> [round(bound, 4) for bound in wilson(0.9, 100)]
    [0.8256, 0.9448]
    """
    from scipy import stats

    z = float(stats.norm.ppf(0.5 + confidence / 2))
    variance = accuracy * (1 - accuracy) / examples + (z / (2 * examples)) ** 2
    center, half = accuracy + z**2 / (2 * examples), z * math.sqrt(variance)
    low, high = ((center + side) / (1 + z**2 / examples) for side in (-half, half))
    # Rounding would leave the ends of 0 and 1 a hair away from them.
    return 0.0 if accuracy == 0 else low, 1.0 if accuracy == 1 else high


def mean_interval(
    values: np.ndarray, scores: np.ndarray, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the interval of a mean: Wilson's of numbers that are 0 or 1, Student's of others.

    If all values are 0, or all are 1, and scores are from 0 to 1, Student's would have no width,
    as if no mistake were possible. They have Wilson's as well. The ends of Student's are computed
    for the logit of a mean of such scores, so that they stay between 0 and 1; see `corrected_t`.

    Args:
        values: of a part of the examples.
        scores: of all examples, which tell what the values could be.
        confidence: level, between 0 and 1.

    Returns:
        The ends; NaN for a single value that is neither 0 nor 1.

    >>> perfect, scores = np.ones(20), np.array([0.5] * 20 + [1.0] * 20)
    >>> round(mean_interval(perfect, scores)[0], 3), mean_interval(perfect, scores + 1)[0]
    (0.839, 1.0)
    """
    from scipy import stats

    mean, count = float(values.mean()), len(values)
    is_share = scores.min() >= 0 and scores.max() <= 1
    if np.isin(scores, (0, 1)).all() or (is_share and mean in (0, 1)):
        return wilson(mean, count, confidence)
    if count < 2:
        return math.nan, math.nan
    half = float(stats.t.ppf(0.5 + confidence / 2, count - 1))
    half *= float(values.std(ddof=1)) / math.sqrt(count)
    return _ends(mean, half, (0.0, 1.0) if is_share else UNBOUNDED)


def f1_interval(f1: float, correct: int) -> tuple[float, float]:
    """Return the 95 % interval of an F1 with the given number of true positives.

    Of the decisions that are positive in truth or prediction, the share J that is both is a
    binomial proportion, and F1 = 2 J / (1 + J), so Wilson's interval of J gives one of F1.
    Source: Takahashi et al., 2022, https://doi.org/10.1007/s10489-021-02635-5, has others.

    >>> [round(bound, 3) for bound in f1_interval(0.5, 100)]
    [0.44, 0.56]
    """
    share = f1 / (2 - f1)
    low, high = wilson(share, round(correct / share))
    return 2 * low / (1 + low), 2 * high / (1 + high)


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Adjust p-values for multiple tests by Holm's step-down method.

    p̃₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1) · p₍ⱼ₎),     p₍₁₎ ≤ … ≤ p₍ₘ₎

    Comparing every adjusted p-value with one level keeps the probability of any false positive
    among the m tests below that level.

    Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of
    Statistics 6, 1979, https://www.jstor.org/stable/4615733.

    Args:
        p_values: the m p-values, in any order.

    Returns:
        The adjusted p-values, in the same order.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, float)
    order = np.argsort(values, kind="stable")
    factors = np.arange(len(values), 0, -1)
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * values[order]))
    return adjusted
