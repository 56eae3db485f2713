"""Slices: SciPy's tests, Holm's correction, and slices that are known to differ."""

import tracemalloc
import warnings

import numpy as np
import pytest
from scipy import stats

from ftkeras.errors import UserError
from ftkeras.statistics import slices
from ftkeras.statistics.significance import holm
from ftkeras.statistics.slices import Slice

RNG = np.random.default_rng(2)
GROUPS = np.array(["a", "b", "c", "d"])[RNG.integers(4, size=800)]
SCORES = RNG.random(800) < np.where(GROUPS == "c", 0.6, 0.9)


def test_tests_and_intervals_of_right_answers_are_scipys():
    found = slices.compare(slices.by_value("group", GROUPS), SCORES)
    assert sorted(one.name for one in found) == ["a", "b", "c", "d"]
    p_values = []
    for one in found:
        own, rest = SCORES[one.name == GROUPS], SCORES[one.name != GROUPS]
        table = [[own.sum(), (~own).sum()], [rest.sum(), (~rest).sum()]]
        p_values.append(stats.fisher_exact(table)[1])
        interval = stats.binomtest(own.sum(), len(own)).proportion_ci(method="wilson")
        assert (one.low, one.high) == pytest.approx((interval.low, interval.high))
        assert (one.count, one.mean, one.rest) == (len(own), own.mean(), rest.mean())
    np.testing.assert_allclose([one.p_value for one in found], p_values)
    np.testing.assert_allclose([one.p_value_holm for one in found], holm(p_values))
    worse = [one.name for one in found if one.p_value_holm < 0.05 and one.mean < one.rest]
    assert worse == ["c"]


def test_tests_of_other_numbers_are_welchs():
    scores = RNG.normal(size=800) + (GROUPS == "b")
    found = slices.compare(slices.by_value("group", GROUPS), scores)
    for one in found:
        own, rest = scores[one.name == GROUPS], scores[one.name != GROUPS]
        expected = stats.ttest_ind(own, rest, equal_var=False)
        assert one.p_value == pytest.approx(expected.pvalue)
        interval = stats.t.interval(0.95, len(own) - 1, own.mean(), stats.sem(own))
        assert (one.low, one.high) == pytest.approx(interval)


def test_without_a_difference_few_are_called_significant():
    """Holm keeps the probability of any false alarm below 5 %."""
    alarms = 0
    for _ in range(40):
        groups, scores = RNG.integers(6, size=300), RNG.random(300) < 0.8
        found = slices.compare(slices.by_value("group", groups.tolist()), scores)
        alarms += any(one.p_value_holm < 0.05 for one in found)
    assert alarms <= 6  # 2 expected at most; more than 6 has a probability below 0.4 %


def test_small_slices_are_shown_but_not_tested():
    members = np.arange(800) < 19
    (found,) = slices.compare([Slice("x", "few", members)], SCORES)
    assert (found.count, found.p_value, found.p_value_holm) == (19, None, None)
    (found,) = slices.compare([Slice("x", "most", ~members)], SCORES)
    assert found.p_value is None
    (found,) = slices.compare([Slice("x", "all", np.ones(800, bool))], SCORES)
    assert found.p_value is None
    assert np.isnan(found.rest)
    assert slices.compare([Slice("x", "none", np.zeros(800, bool))], SCORES) == []


def test_quarters_by_length_have_the_same_size_unless_lengths_are_equal():
    lengths = RNG.integers(1, 1_000, size=401)
    found = slices.by_length(lengths)
    assert len(found) == 4
    assert all(abs(one.members.sum() - 100) <= 3 for one in found)
    np.testing.assert_array_equal(sum(one.members.astype(int) for one in found), 1)
    (same,) = slices.by_length(np.full(10, 7))
    assert (same.name, same.members.sum()) == ("7", 10)


def test_rare_values_of_a_column_are_one_slice():
    values = [str(n) for n in range(30)] * 2 + ["x"] * 5 + [None, ""]
    found = slices.by_value("column", values)
    assert [one.name for one in found[:2]] == ["x", "(empty)"]
    assert (len(found), found[-1].name) == (21, "other")
    np.testing.assert_array_equal(sum(one.members.astype(int) for one in found), 1)


def test_labels_may_overlap():
    found = slices.by_membership("label", ("a", "b"), np.array([[1, 1], [0, 1]]))
    assert [one.members.tolist() for one in found] == [[True, False], [True, True]]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("not", "`slice` must be name=pattern"),
        ("=not", "`slice` must be name=pattern"),
        ("a=(", "not a regular expression: missing \\)"),
    ],
)
def test_wrong_patterns_are_refused(spec, message):
    with pytest.raises(UserError, match=message):
        slices.by_pattern(spec, ["a"])


def test_many_examples_are_tested_by_pearsons_test():
    groups, scores = np.tile(GROUPS, 30), np.tile(SCORES, 30)
    found = slices.compare(slices.by_value("group", groups), scores)
    for one in found:
        own, rest = scores[groups == one.name], scores[groups != one.name]
        table = [[own.sum(), (~own).sum()], [rest.sum(), (~rest).sum()]]
        expected = stats.chi2_contingency(table, correction=False).pvalue
        assert one.p_value == pytest.approx(expected)
    (found,) = slices.compare([Slice("x", "a", groups == "a")], np.ones(len(groups)))
    assert found.p_value is None  # all are right


def test_perfect_slice_of_scores_from_0_to_1_has_wilsons_interval():
    perfect = np.arange(100) < 40
    scores = np.where(perfect, 1.0, 0.5 + np.arange(100) / 250)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (found,) = slices.compare([Slice("x", "perfect", perfect)], scores)
    wanted = stats.binomtest(40, 40).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))
    assert found.p_value < 0.001
    # Errors of exactly 1 may be larger: there, no interval is known.
    (found,) = slices.compare([Slice("x", "same", perfect)], 2 - scores)
    assert (found.low, found.high) == (1.0, 1.0)


def test_one_long_value_does_not_cost_its_length_for_every_example():
    tracemalloc.start()
    found = slices.by_value("column", ["a" * 20_000, *["b"] * 2_000])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [int(one.members.sum()) for one in found] == [2_000, 1]
    assert peak < 2e6
