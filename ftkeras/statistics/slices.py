"""Slices: parts of a split, each compared with the rest of it.

The number that is compared is that of paired tests: one for each example, such as whether its
answer is right. So slices work for every problem.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftkeras.errors import UserError
from ftkeras.statistics.significance import holm, mean_interval

# Slices and rests with fewer examples are too small to conclude anything.
LEAST = 20
# Further values of a column are one slice, "other".
MOST_VALUES = 20
OTHER = "other"
# Fisher's test takes a fifth of a second for 100,000 examples; with many, it is nearly Pearson's.
MOST_EXACT = 20_000


@dataclass(frozen=True)
class Slice:
    """A part of a split.

    Attributes:
        group: what divides the split, such as "length" or the name of a column.
        name: of the part, such as a value of the column.
        members: bool [examples], which examples belong to it.
    """

    group: str
    name: str
    members: np.ndarray


@dataclass(frozen=True)
class Result:
    """A slice's metric, and whether it differs from that of the rest.

    Attributes:
        group, name: of the slice.
        count: of its examples.
        mean: of their numbers.
        low, high: the 95 % interval of the mean.
        rest: the mean of all other examples.
        p_value: two-sided, that both have the same mean; None if either has too few examples.
        p_value_holm: the same, adjusted for all slices that were tested.
    """

    group: str
    name: str
    count: int
    mean: float
    low: float
    high: float
    rest: float
    p_value: float | None = None
    p_value_holm: float | None = None


def compare(slices: Sequence[Slice], scores: np.ndarray, *, least: int = LEAST) -> list[Result]:
    """Compare each slice with the rest of the split.

    Of numbers that are 0 or 1, the interval is Wilson's, and the test Fisher's exact one, or
    Pearson's chi-squared test if there are more than 20,000 examples. Of others, the interval is
    Student's (Wilson's if all are 0, or all are 1, though they could be between), and the test
    Welch's. Holm's method corrects for the number of tests.

    Args:
        slices: which may overlap.
        scores: one number for each example, [examples].
        least: the fewest examples of a slice, and of its rest, that are tested.

    Returns:
        A result for each slice that has an example, in their order.

    Source: Fisher, 1922, https://doi.org/10.2307/2340521; Welch, 1947,
    https://doi.org/10.1093/biomet/34.1-2.28.

    >>> half = np.arange(100) < 50
    >>> (result,) = compare([Slice("all", "first", half)], half | (np.arange(100) < 90))
    >>> result.count, result.mean, result.rest, round(result.p_value, 6)
    (50, 1.0, 0.8, 0.001187)
    """
    values = np.asarray(scores, float)
    results = [_measure(one, values, least) for one in slices if one.members.any()]
    tested = [n for n, one in enumerate(results) if one.p_value is not None]
    adjusted = holm([p for one in results if (p := one.p_value) is not None])
    for n, p_value in zip(tested, adjusted.tolist(), strict=True):
        results[n] = Result(**{**vars(results[n]), "p_value_holm": p_value})
    return results


def by_length(lengths: np.ndarray, group: str = "length") -> list[Slice]:
    """Return a slice for each quarter of the texts by length; fewer if many have one length.

    Args:
        lengths: of the texts, integer [examples].
        group: what the slices are called together.

    >>> [one.name for one in by_length(np.array([1, 2, 3, 4, 5, 6, 7, 8]))]
    ['1 to 2', '3 to 4', '5 to 6', '7 to 8']
    """
    edges = np.unique(np.quantile(lengths, (0.25, 0.5, 0.75)))
    quarters = np.searchsorted(edges, lengths, side="left")
    chosen = []
    for number in np.unique(quarters):
        members = quarters == number
        low, high = lengths[members].min(), lengths[members].max()
        chosen.append(Slice(group, f"{low:,} to {high:,}" if low < high else f"{low:,}", members))
    return chosen


def by_value(group: str, values: Sequence[object], *, most: int = MOST_VALUES) -> list[Slice]:
    """Return a slice for each value of a column, the most frequent first.

    Args:
        group: the column's name.
        values: one for each example; None and "" are "(empty)".
        most: how many values have a slice of their own; the others are one slice together.

    >>> [(one.name, one.members.tolist()) for one in by_value("product", ["a", "b", "b"])]
    [('b', [False, True, True]), ('a', [True, False, False])]
    """
    texts = ["(empty)" if value in (None, "") else str(value) for value in values]
    shown = np.array(texts, object)  # an array of strings would be as wide as the longest one
    names, numbers, counts = np.unique(shown, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    chosen = [Slice(group, str(names[n]), numbers == n) for n in order[:most]]
    if len(order) > most:
        chosen.append(Slice(group, OTHER, np.isin(numbers, order[most:])))
    return chosen


def by_membership(group: str, names: Sequence[str], members: np.ndarray) -> list[Slice]:
    """Return a slice for each label, of examples that may have several.

    Args:
        group: what the slices are called together.
        names: of the labels.
        members: 0 or 1, [examples, labels].
    """
    columns = zip(names, np.asarray(members, bool).T, strict=True)
    return [Slice(group, name, column) for name, column in columns]


def by_pattern(spec: str, texts: Sequence[str]) -> list[Slice]:
    r"""Return the slice of texts in which a regular expression is found.

    Args:
        spec: name=pattern, such as negation=\bnot\b; letters of either case match.
        texts: of the examples; of pairs, both texts.

    Raises:
        UserError: it has no name, or the pattern is wrong.

    >>> by_pattern(r"negation=\bnot\b", ["Not bad", "nothing"])[0].members.tolist()
    [True, False]
    """
    name, equals, pattern = spec.partition("=")
    if not (equals and name.strip() and pattern):
        raise UserError(
            rf"`slice` must be name=pattern, such as negation=\bnot\b. Received: {spec!r}."
        )
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise UserError(f"`slice`: {pattern!r} is not a regular expression: {error}.") from None
    members = np.array([bool(compiled.search(text)) for text in texts], bool)
    return [Slice("pattern", name.strip(), members)]


def _measure(one: Slice, values: np.ndarray, least: int) -> Result:
    from scipy import stats as scipy_stats

    stats: Any = scipy_stats  # whose results pyright does not know

    own, rest = values[one.members], values[~one.members]
    mean, is_binary = float(own.mean()), bool(np.isin(values, (0, 1)).all())
    low, high = mean_interval(own, values)
    p_value = None
    if min(len(own), len(rest)) >= least:
        if is_binary and 0 < values.mean() < 1:
            table = np.array([[part.sum(), len(part) - part.sum()] for part in (own, rest)], int)
            expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / len(values)
            # The approximation needs five examples in each cell, however large the split is.
            if len(values) > MOST_EXACT and expected.min() >= 5:
                p_value = float(stats.chi2_contingency(table, correction=False).pvalue)
            else:
                p_value = float(stats.fisher_exact(table)[1])
        elif not is_binary and max(np.ptp(own), np.ptp(rest)) > 1e-12:
            # From the moments, as SciPy warns of equal numbers, such as those of perfect answers.
            moments = [f(part) for part in (own, rest) for f in (np.mean, _sd, len)]
            p_value = float(stats.ttest_ind_from_stats(*moments, equal_var=False).pvalue)
    others = float(rest.mean()) if len(rest) else float("nan")
    return Result(one.group, one.name, len(own), mean, low, high, others, p_value)


def _sd(values: np.ndarray) -> float:
    return float(values.std(ddof=1))
