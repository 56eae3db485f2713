"""How sure a figure is: intervals over folds, tests of paired answers, many tests at once."""

from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Estimate:
    """A mean and what is known of it.

    Attributes:
        mean, sd: of the values; sd with values − 1 below the line, None of a single value.
        low, high: the interval's ends, None of a single value.
        p_value: two-sided, that the expected value is 0; None where no test can be made.
    """

    mean: float
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None


def over_folds(values, *, test_share: float, confidence: float = 0.95) -> Estimate:
    """The mean over the folds of a (repeated) cross-validation, and the corrected t interval.

    mean ± t(confidence, J − 1) · √((1/J + test_share) · sd²),     J the number of values

    Student's interval over folds has 1/J alone, as if folds were independent; but any two share
    most of their training data, and repeats share all. The second term stands for that covariance.

    Source: Nadeau and Bengio, Inference for the Generalization Error, Machine Learning 52, 2003,
    section 3, https://doi.org/10.1023/A:1024068626366; for repeated folds: Bouckaert and Frank,
    2004, https://doi.org/10.1007/978-3-540-24775-3_3.

    Args:
        values: a figure a fold, or a difference a fold, [J].
        test_share: examples validated over examples trained on, of one fold: 1 / (folds − 1).
        confidence: of the interval, between 0 and 1.
    """
    values = np.asarray(values, float)
    mean, count = float(values.mean()), len(values)
    if count < 2:
        return Estimate(mean)
    sd = float(values.std(ddof=1))
    error = sd * np.sqrt(1 / count + test_share)
    half = float(error * stats.t.ppf((1 + confidence) / 2, count - 1))
    p_value = float(2 * stats.t.sf(abs(mean) / error, count - 1)) if error else float(mean == 0)
    return Estimate(mean, sd, mean - half, mean + half, p_value)


def mcnemar(first_right: np.ndarray, second_right: np.ndarray) -> dict:
    """McNemar's test of whether two models are right equally often, on the same examples.

    With b examples that only the first gets right, c only the second, n = b + c, m = min(b, c):

    exact p = min(1, 2 · P(X ≤ m)),     mid-p = 2 · P(X ≤ m) − P(X = m),     X ~ Binomial(n, 1/2)

    mid-p is what to go by: the exact test is conservative.

    Source: McNemar, 1947, https://doi.org/10.1007/BF02295996; mid-p: Fagerland, Lydersen and Laake,
    The McNemar test for binary matched-pairs data, BMC Medical Research Methodology 13, 2013,
    https://doi.org/10.1186/1471-2288-13-91.

    Args:
        first_right, second_right: bool [examples].

    Returns:
        only_first, only_second (b and c), exact_p_value and p_value (the mid-p).

    >>> round(mcnemar(np.arange(10) < 9, np.arange(10) < 10)["p_value"], 3)
    0.5
    """
    only_first = int((first_right & ~second_right).sum())
    only_second = int((~first_right & second_right).sum())
    parted, least = only_first + only_second, min(only_first, only_second)
    below = 2 * stats.binom.cdf(least, parted, 0.5)
    return {
        "only_first": only_first,
        "only_second": only_second,
        "exact_p_value": float(min(1.0, below)),
        "p_value": float(min(1.0, below - stats.binom.pmf(least, parted, 0.5))),
    }


def holm(p_values) -> np.ndarray:
    """p-values that may be held against one level together, in the order given.

    p̃₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1) · p₍ⱼ₎),     p₍₁₎ ≤ … ≤ p₍ₘ₎

    The chance of any false alarm among the m tests stays below the level.

    Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of
    Statistics 6, 1979, https://www.jstor.org/stable/4615733.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p_values = np.asarray(p_values, float)
    order = np.argsort(p_values, kind="stable")
    times = np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(times * p_values[order]))
    return adjusted
