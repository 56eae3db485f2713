"""Test whether what a model is asked and answers has drifted away from what it was tested on.

All tests are of two independent samples: the reference, such as the test split, and what was
observed. They assume that texts are independent of each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ftkeras.statistics.significance import holm

# Fewer expected answers than this in a cell make the G-test's distribution wrong.
LEAST_EXPECTED = 5


@dataclass(frozen=True)
class Drift:
    """The result of one test.

    Attributes:
        name: what is compared.
        test: how.
        reference: the texts of the reference.
        observed: the texts that were observed.
        effect: how far apart the distributions are, from 0 to 1: the share of texts that would have
            to be answered otherwise for the distributions to agree (total variation distance); of
            numbers, the largest difference of the cumulative shares (Kolmogorov's D).
        p_value: of the hypothesis that both are samples of one distribution; None if there are too
            few texts.
        adjusted: the same by Holm's method, for all tests together.
        largest: what differs most, in words.
    """

    name: str
    test: str
    reference: int
    observed: int
    effect: float
    p_value: float | None
    adjusted: float | None = None
    largest: str = ""

    def is_found(self, *, alpha: float, min_effect: float) -> bool:
        """Return whether the drift is significant at a level, and large enough to matter."""
        return self.adjusted is not None and self.adjusted < alpha and self.effect >= min_effect


def labels(
    name: str, reference: Mapping[str, int], observed: Mapping[str, int], *, least: int = 1
) -> Drift:
    """Compare how often each label is answered, by the G-test of homogeneity.

    G = 2 Σ O ln(O / E), chi-square distributed with (labels − 1) degrees of freedom. Labels that
    are expected fewer than five times in either sample are counted together. If only one other
    label is left, and they are still expected fewer than five times, Fisher's exact test is used.

    Source: Sokal and Rohlf, Biometry, 1995, section 17.4; Fisher, Statistical Methods for Research
    Workers, 1934, section 21.02.

    Args:
        name: of the comparison.
        reference: the number of texts of each label in the reference.
        observed: the same of what was observed.
        least: fewer texts than this in either sample are not tested.
    """
    names = sorted({*reference, *observed})
    table = np.array([[counts.get(n, 0) for n in names] for counts in (reference, observed)])
    sizes = table.sum(axis=1)
    shares = table / np.maximum(sizes, 1)[:, None]
    gaps = shares[1] - shares[0]
    at = int(np.abs(gaps).argmax()) if names else 0
    return Drift(
        name=name,
        test="G-test",
        reference=int(sizes[0]),
        observed=int(sizes[1]),
        effect=float(np.abs(gaps).sum() / 2),
        p_value=_g_test(table) if sizes.min() >= least else None,
        largest=f"{names[at]} {shares[0][at]:.1%} -> {shares[1][at]:.1%}" if names else "",
    )


def numbers(
    name: str,
    reference: np.ndarray,
    edges: Sequence[float],
    counts: Sequence[int] | np.ndarray,
    *,
    least: int = 1,
) -> Drift:
    """Compare a distribution of numbers with a histogram, by Kolmogorov and Smirnov's test.

    D = max over the bounds of bins of |F(reference) − F(observed)|. Binning can only make D
    smaller, so the p-value is too large rather than too small.

    Source: Noether, Note on the Kolmogorov statistic in the discrete case, Metrika 7, 1963.

    Args:
        name: of the comparison.
        reference: the numbers of the reference.
        edges: the bounds of the bins, ascending; each bin has its left end, the last both.
        counts: how many observed numbers are in each bin.
        least: fewer texts than this in either sample are not tested.
    """
    bounds = np.asarray(edges, float)
    before = np.histogram(np.clip(reference, bounds[0], bounds[-1]), bounds)[0]
    table = np.array([before, counts], float)
    sizes = table.sum(axis=1)
    below = np.cumsum(table, axis=1) / np.maximum(sizes, 1)[:, None]
    gaps = below[1] - below[0]
    at = int(np.abs(gaps).argmax())
    return Drift(
        name=name,
        test="Kolmogorov-Smirnov",
        reference=int(sizes[0]),
        observed=int(sizes[1]),
        effect=float(np.abs(gaps[at])),
        p_value=_kolmogorov(np.abs(gaps[at]), sizes) if sizes.min() >= least else None,
        largest=f"{_below(bounds[at + 1])}: {below[0][at]:.1%} -> {below[1][at]:.1%}",
    )


def adjusted(tests: Sequence[Drift]) -> list[Drift]:
    """Return the same with p-values that are adjusted for all tests together, by Holm's method."""
    tested = [one.p_value for one in tests if one.p_value is not None]
    values = iter(holm(tested).tolist())
    return [one if one.p_value is None else replace(one, adjusted=next(values)) for one in tests]


def _below(bound: float) -> str:
    """Return how to name a bin's right end; the smallest bound sets zero apart from the rest."""
    return "zero" if bound < 1e-6 else f"below {bound:g}"


def _g_test(table: np.ndarray) -> float:
    """Return the p-value of a table of two rows; 1 if only one label is left."""
    from scipy import stats

    sizes = table.sum(axis=1)
    expected = table.sum(axis=0) * sizes.min() / sizes.sum()
    rare = expected < LEAST_EXPECTED
    merged = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    merged = merged[:, merged.sum(axis=0) > 0]
    if merged.shape[1] < 2:
        return 1.0
    is_small = merged.sum(axis=0).min() * sizes.min() / sizes.sum() < LEAST_EXPECTED
    if merged.shape[1] == 2 and is_small:
        exact: Any = stats.fisher_exact(merged)
        return float(exact.pvalue)
    test: Any = stats.chi2_contingency(merged, correction=False, lambda_="log-likelihood")
    return float(test.pvalue)


def _kolmogorov(distance: float, sizes: np.ndarray) -> float:
    from scipy import stats

    return float(stats.kstwo.sf(distance, max(1, round(sizes.prod() / sizes.sum()))))
