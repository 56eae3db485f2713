"""Drift: SciPy's tests on the same samples, the rate of false alarms, and what is too few."""

import numpy as np
import pytest
from scipy import stats

from ftkeras.statistics import drift

EDGES = np.linspace(0, 1, 41)


def test_labels_are_scipys_g_test():
    reference, observed = {"a": 60, "b": 40, "c": 25}, {"a": 30, "b": 50, "c": 30}
    found = drift.labels("labels", reference, observed)
    table = [list(reference.values()), list(observed.values())]
    wanted = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    assert found.p_value == pytest.approx(wanted.pvalue, rel=1e-12)
    shares = np.array(table) / np.sum(table, axis=1, keepdims=True)
    assert found.effect == pytest.approx(np.abs(shares[0] - shares[1]).sum() / 2)
    assert found.largest == "a 48.0% -> 27.3%"


def test_rare_labels_are_counted_together():
    reference, observed = {"a": 100, "b": 100, "x": 1, "y": 2}, {"a": 90, "b": 110, "z": 3}
    table = [[100, 100, 3], [90, 110, 3]]
    wanted = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    assert drift.labels("labels", reference, observed).p_value == pytest.approx(wanted.pvalue)


def test_numbers_are_scipys_kolmogorov_smirnov():
    rng = np.random.default_rng(0)
    reference, observed = rng.choice(EDGES[:-1], 300), rng.choice(EDGES[:-1], 170) ** 1.2
    counts = np.histogram(observed, EDGES)[0]
    found = drift.numbers("x", reference, EDGES, counts)
    binned = np.repeat(EDGES[:-1], counts)
    wanted = stats.ks_2samp(
        np.repeat(EDGES[:-1], np.histogram(reference, EDGES)[0]), binned, method="asymp"
    )
    assert found.effect == pytest.approx(wanted.statistic, abs=1e-12)
    assert found.p_value == pytest.approx(wanted.pvalue, rel=1e-9)


def test_binning_never_makes_the_difference_larger():
    rng = np.random.default_rng(1)
    for _ in range(20):
        one, other = rng.beta(2, 5, 200), rng.beta(2, 4, 150)
        found = drift.numbers("x", one, EDGES, np.histogram(other, EDGES)[0])
        assert found.effect <= stats.ks_2samp(one, other).statistic + 1e-12


def _all(rng, confidence, answers):
    """Return the three tests of a reference with other texts, drawn by these functions."""
    samples = [(confidence[n](rng, 400), answers[n](rng, 400)) for n in (0, 1)]
    counts = [dict(zip(*np.unique(a, return_counts=True), strict=True)) for _, a in samples]
    (one, _), (other, _) = samples
    tests = [
        drift.labels("labels", *({str(k): int(v) for k, v in c.items()} for c in counts)),
        drift.numbers("confidence", one, EDGES, np.histogram(other, EDGES)[0]),
        drift.numbers("tokens", one**2, EDGES, np.histogram(other**2, EDGES)[0]),
    ]
    return drift.adjusted(tests)


def test_false_alarms_are_as_rare_as_promised_and_drift_is_found():
    rng = np.random.default_rng(2)
    same, other = lambda r, n: r.beta(5, 2, n), lambda r, n: r.beta(5, 3, n)
    labels, more = lambda r, n: r.integers(3, size=n), lambda r, n: r.integers(4, size=n) // 2
    alarms = sum(
        any(one.is_found(alpha=0.05, min_effect=0) for one in _all(rng, (same,) * 2, (labels,) * 2))
        for _ in range(300)
    )
    assert alarms <= stats.binom.ppf(0.999, 300, 0.05)
    found = _all(rng, (same, other), (labels, more))
    assert all(one.is_found(alpha=0.01, min_effect=0.1) for one in found[:2])


def test_small_differences_do_not_matter_however_many_texts_show_them():
    found = drift.labels("labels", {"a": 500_000, "b": 500_000}, {"a": 510_000, "b": 490_000})
    (found,) = drift.adjusted([found])
    assert found.adjusted < 1e-9
    assert not found.is_found(alpha=0.01, min_effect=0.05)


def test_nothing_is_concluded_from_a_few_texts():
    few = drift.labels("labels", {"a": 500}, {"b": 20}, least=100)
    many = drift.numbers("x", np.zeros(200), [0, 0.5, 1], [0, 150], least=100)
    few, many = drift.adjusted([few, many])
    assert few.p_value is None
    assert not few.is_found(alpha=0.5, min_effect=0)
    assert many.adjusted == many.p_value < 1e-9


def test_a_single_label_shows_no_drift():
    assert drift.labels("labels", {"a": 200}, {"a": 300}).p_value == 1


def test_one_rare_label_is_tested_exactly():
    found = drift.labels("labels", {"a": 100, "x": 1}, {"a": 93, "x": 7})
    expected = stats.fisher_exact([[100, 1], [93, 7]])
    assert found.p_value == pytest.approx(expected.pvalue)
    assert drift.labels("labels", {"a": 400}, {"a": 396, "b": 2, "c": 2}).p_value == pytest.approx(
        stats.fisher_exact([[400, 0], [396, 4]]).pvalue
    )
