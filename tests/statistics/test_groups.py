"""Groups: intervals that hold together, against SciPy and statsmodels' formulas by hand."""

import warnings

import numpy as np
import pytest
from scipy import stats

from ftkeras.statistics import groups, paired


def test_intervals_are_wilsons_at_the_corrected_level():
    names = ["a"] * 100 + ["b"] * 50 + ["c"] * 5
    scores = np.concatenate([np.arange(100) < 90, np.arange(50) < 30, np.arange(5) < 5])
    found, gap = groups.compare(names, scores)
    assert [(one.name, one.count) for one in found] == [("a", 100), ("b", 50), ("c", 5)]
    expected = stats.binomtest(90, 100).proportion_ci(0.975, method="wilson")
    assert (found[0].low, found[0].high) == pytest.approx((expected.low, expected.high))
    assert (found[2].low, found[2].high) == (None, None)
    assert (gap.best, gap.worst, round(gap.value, 9)) == ("a", "b", 0.3)


def test_interval_of_the_gap_is_newcombes():
    # Newcombe's own example (a), 56/70 against 48/80, method 10: 0.0524 to 0.3339.
    names = ["a"] * 70 + ["b"] * 80
    scores = np.concatenate([np.arange(70) < 56, np.arange(80) < 48])
    _, gap = groups.compare(names, scores)
    assert (gap.low, gap.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_other_numbers_have_students_and_welchs_intervals():
    rng = np.random.default_rng(0)
    first, second = rng.normal(0, 1, 40), rng.normal(1, 2, 30)
    found, gap = groups.compare(["a"] * 40 + ["b"] * 30, np.concatenate([first, second]))
    expected = stats.t.interval(0.975, 39, first.mean(), stats.sem(first))
    assert (found[0].low, found[0].high) == pytest.approx(expected)
    welch = stats.ttest_ind(second, first, equal_var=False).confidence_interval(0.95)
    assert (gap.low, gap.high) == pytest.approx((welch.low, welch.high))


def test_perfect_groups_of_scores_from_0_to_1_have_wilsons_and_newcombes_intervals():
    names = ["a"] * 40 + ["b"] * 40 + ["c"] * 40
    scores = np.concatenate([np.ones(80), np.linspace(0.2, 0.8, 40)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, gap = groups.compare(names, scores)
        _, same = groups.compare(names[:81], scores[:81])
    wilson = stats.binomtest(40, 40).proportion_ci(1 - 0.05 / 3, method="wilson")
    assert [one.low for one in found[:2]] == pytest.approx([wilson.low] * 2)
    assert 0.3 < gap.low < gap.value < gap.high < 0.6
    assert same.low < same.value == 0 < same.high


def test_groups_of_the_same_quality_rarely_show_a_gap():
    rng = np.random.default_rng(1)
    names = np.repeat(["a", "b", "c", "d"], 60)
    shown = [
        gap.low > 0 for _ in range(300) for _, gap in [groups.compare(names, rng.random(240) < 0.8)]
    ]
    assert np.mean(shown) <= 0.06


def test_one_large_group_has_no_gap():
    assert groups.compare(["a"] * 30 + ["b"] * 3, np.ones(33))[1] is None


def test_many_small_groups_are_one_and_no_example_is_lost():
    sizes = {"large": 50, "second": 30, **{f"user {n}": 2 + (n < 20) for n in range(3000)}}
    names = np.random.default_rng(2).permutation(np.repeat(list(sizes), list(sizes.values())))
    scores = np.char.startswith(names, "user")
    found, gap = groups.compare(names, scores)
    assert [one.name for one in found[:2]] == ["large", "second"]
    assert {one.name for one in found[2:22]} == {f"user {n}" for n in range(20)}
    assert vars(found[-1]) == {
        **{"name": "2,980 smaller groups", "count": 5960, "mean": 1.0, "low": None, "high": None}
    }
    assert sum(one.count for one in found) == len(names)
    assert {gap.best, gap.worst} == {"large", "second"}


@pytest.mark.parametrize(
    ("counts", "ends"),
    [
        ((1, 1, 7, 12), (-0.507, -0.026)),  # Fagerland et al., 2014, of Bentur et al., 2009
        ((50, 0, 0, 0), (-0.071, 0.071)),  # no error, with or without the change
        ((30, 0, 0, 20), (-0.040, 0.040)),  # the same errors
    ],
)
def test_paired_shares_have_newcombes_interval(counts, ends):
    first = np.repeat([1, 1, 0, 0], counts)
    second = np.repeat([1, 0, 1, 0], counts)
    found = paired.difference(first, second)
    assert found.value == pytest.approx((counts[1] - counts[2]) / sum(counts))
    assert (found.low, found.high) == pytest.approx(ends, abs=6e-4)


def test_equal_differences_of_other_scores_have_no_interval():
    scores = np.linspace(0, 1, 50)
    assert paired.difference(scores, scores) == paired.Mean(0.0, None, None)
    assert paired.difference(scores, scores[::-1]).low is not None


def test_paired_mean_is_students():
    values = np.random.default_rng(0).normal(size=25)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    found = paired.mean(values)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
