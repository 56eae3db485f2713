"""Compare groups of people or texts: simultaneous intervals, and measures of fairness."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ftkeras.statistics.significance import mean_interval

CONFIDENCE = 0.95
# Groups with fewer examples are too small to conclude anything.
LEAST = 20
# So many of these are listed; the others are one group.
MOST_SMALL = 20


@dataclass(frozen=True)
class Group:
    """A group's mean.

    Attributes:
        name: of the group.
        count: of its examples.
        mean: of their numbers.
        low, high: its interval; all intervals together hold with 95 % probability. None if the
            group is too small.
    """

    name: str
    count: int
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Gap:
    """The largest difference between the means of two groups that are large enough.

    Attributes:
        best, worst: the names of the groups with the largest and the smallest mean.
        value: the difference of their means.
        low, high: its interval, corrected for all pairs of groups.
    """

    best: str
    worst: str
    value: float
    low: float
    high: float


def compare(names: Sequence[str], scores: np.ndarray) -> tuple[list[Group], Gap | None]:
    """Return the mean of each group, and the largest gap between two.

    Of numbers that are 0 or 1, the interval of a mean is Wilson's, and that of a difference
    Newcombe's; of others, they are Student's and Welch's. All numbers of a group may be 0, or 1,
    though they could be between: the intervals are Wilson's and Newcombe's then, too. With k groups
    that are large enough, the level is 1 - 0.05 / k for means and 1 - 0.05 / (k (k - 1) / 2) for
    differences (Bonferroni), so that all hold together with 95 % probability at least.

    Source: Newcombe, 1998, https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I.

    Args:
        names: the group of each example, [examples].
        scores: its number, [examples].

    Returns:
        The groups, the largest first, all but the 20 largest of those that are too small as one;
        and the gap, None with fewer than two that are large enough.
    """
    values = np.asarray(scores, float)
    # An array of strings would be as wide as the longest name.
    members = _by_size(np.asarray(names, object), values)
    large = {name: own for name, own in members.items() if len(own) >= LEAST}
    small = _listed({name: own for name, own in members.items() if name not in large})
    level = 1 - (1 - CONFIDENCE) / max(1, len(large))
    groups = [
        Group(name, len(own), float(own.mean()), *mean_interval(own, values, level))
        for name, own in large.items()
    ]
    groups += [Group(name, len(own), float(own.mean()), None, None) for name, own in small.items()]
    return groups, _gap(large, values)


def _by_size(names: np.ndarray, values: np.ndarray) -> dict[str, np.ndarray]:
    """Return the values of each group, the largest group first."""
    distinct, numbers, counts = np.unique(names, return_inverse=True, return_counts=True)
    own = np.split(values[np.argsort(numbers, kind="stable")], np.cumsum(counts)[:-1])
    return {str(distinct[n]): own[n] for n in np.argsort(-counts, kind="stable")}


def _listed(small: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return these groups with all but the first ones as one group."""
    kept, rest = list(small.items())[:MOST_SMALL], list(small.values())[MOST_SMALL:]
    if len(rest) < 2:
        return small
    return {**dict(kept), f"{len(rest):,} smaller groups": np.concatenate(rest)}


def _gap(large: dict[str, np.ndarray], scores: np.ndarray) -> Gap | None:
    if len(large) < 2:
        return None
    means = {name: float(own.mean()) for name, own in large.items()}
    best, worst = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    if best == worst:  # all have the same mean
        best, worst = list(large)[:2]
    level = 1 - (1 - CONFIDENCE) / (len(large) * (len(large) - 1) / 2)
    low, high = _difference(large[best], large[worst], scores, level)
    return Gap(best, worst, means[best] - means[worst], low, high)


def _difference(
    first: np.ndarray, second: np.ndarray, scores: np.ndarray, level: float
) -> tuple[float, float]:
    """Return Newcombe's interval of the difference of two means, or Welch's; see `compare`.

    Newcombe's is made of the intervals of both means, whatever they are: Zou and Donner, 2008,
    https://doi.org/10.1002/sim.3095.
    """
    from scipy import stats

    is_constant = min(np.ptp(first), np.ptp(second)) < 1e-12  # of which Welch's knows no variance
    if not (is_constant or np.isin(scores, (0, 1)).all()):
        welch = stats.ttest_ind(first, second, equal_var=False).confidence_interval(level)
        return float(welch.low), float(welch.high)
    p, q = float(first.mean()), float(second.mean())
    (l1, u1), (l2, u2) = (mean_interval(one, scores, level) for one in (first, second))
    low = p - q - float(np.hypot(p - l1, u2 - q))
    return low, p - q + float(np.hypot(u1 - p, q - l2))
