import importlib.util
import pathlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ftkeras.statistics.significance import corrected_t, holm, mcnemar, mean_interval, wilson

values = st.lists(st.floats(-10, 10), min_size=2, max_size=30).filter(lambda v: np.std(v) > 1e-3)


@given(values, st.floats(0.5, 0.99))
def test_interval_without_shared_data_equals_students(scores, confidence):
    found = corrected_t(scores, test_share=0, confidence=confidence)
    expected = stats.ttest_1samp(scores, 0)
    ends = expected.confidence_interval(confidence)
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high))
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-12)
    assert found.sd == pytest.approx(stats.tstd(scores))


@given(values, st.floats(0.01, 1))
def test_shared_data_widens_students_interval_by_nadeau_and_bengios_factor(scores, test_share):
    found = corrected_t(scores, test_share=test_share)
    low, high = stats.ttest_1samp(scores, 0).confidence_interval(0.95)
    factor = np.sqrt(1 + len(scores) * test_share)
    assert found.high - found.low == pytest.approx(factor * (high - low))
    assert (found.high + found.low) / 2 == pytest.approx(np.mean(scores))


@given(values)
def test_p_value_is_the_level_at_which_the_interval_excludes_zero(scores):
    p_value = corrected_t(scores, test_share=0.25).p_value
    if 1e-3 < p_value < 0.999:
        found = corrected_t(scores, test_share=0.25, confidence=1 - p_value)
        assert min(abs(found.low), abs(found.high)) == pytest.approx(0, abs=1e-6)


def test_interval_has_its_nominal_coverage_if_folds_share_data():
    """Folds correlate by 1 / folds, which is what the correction assumes."""
    rng, folds, truth = np.random.default_rng(0), 5, 0.8
    common = rng.normal(0, np.sqrt(1 / folds), (4000, 1))
    own = rng.normal(0, np.sqrt(1 - 1 / folds), (4000, folds))
    found = [corrected_t(row, test_share=1 / (folds - 1)) for row in truth + common + own]
    coverage = np.mean([one.low <= truth <= one.high for one in found])
    assert coverage == pytest.approx(0.95, abs=0.012)


@given(
    st.lists(st.floats(-1, 1), min_size=2, max_size=20),
    st.sampled_from([(-1.0, 1.0), (-1.0, np.inf), (-np.inf, 1.0)]),
)
def test_interval_of_a_bounded_metric_stays_within_its_limits(scores, limits):
    found = corrected_t(scores, test_share=0.25, limits=limits)
    assert limits[0] - 1e-12 <= found.low <= found.mean + 1e-12
    assert found.mean - 1e-12 <= found.high <= limits[1] + 1e-12


def test_upper_limit_mirrors_a_lower_one():
    scores = np.array([0.9, 0.97, 0.7])
    found = corrected_t(scores, test_share=0.5, limits=(-np.inf, 1.0))
    mirrored = corrected_t(1 - scores, test_share=0.5, limits=(0.0, np.inf))
    assert (found.low, found.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low))


def test_interval_on_the_logit_scale_equals_the_delta_method():
    scores = np.array([0.97, 0.99, 1.0, 0.98, 0.995])
    plain = corrected_t(scores, test_share=0.25)
    found = corrected_t(scores, test_share=0.25, limits=(0, 1))
    assert plain.high > 1 - 1e-3
    mean, half = scores.mean(), plain.high - plain.mean
    for end, sign in ((found.low, -1), (found.high, 1)):
        expected = np.log(mean / (1 - mean)) + sign * half / (mean * (1 - mean))
        assert np.log(end / (1 - end)) == pytest.approx(expected)
    assert (found.mean, found.sd, found.p_value) == (plain.mean, plain.sd, plain.p_value)


def test_limits_do_not_matter_far_from_them():
    plain = corrected_t([0.501, 0.5, 0.499], test_share=0.5)
    found = corrected_t([0.501, 0.5, 0.499], test_share=0.5, limits=(0, 1))
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=1e-6)


@pytest.mark.parametrize("value", [1.0, 0.7])
def test_equal_values_do_not_tell_how_far_others_are(value):
    found = corrected_t([value] * 3, test_share=0.5, limits=(0, 1))
    assert (found.low, found.high) == pytest.approx((value, value))
    assert found.p_value is None


def test_one_value_has_no_interval():
    assert corrected_t([0.5], test_share=0.25).low is None


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
def test_exact_mcnemar_equals_scipys_binomial_test(correct):
    first, second = np.array(correct).T
    found = mcnemar(first, second)
    differing = found["only_first"] + found["only_second"]
    expected = stats.binomtest(found["only_first"], differing).pvalue if differing else 1.0
    assert found["exact_p_value"] == pytest.approx(expected)
    equal = found["only_first"] == found["only_second"]
    point = 0 if equal else stats.binom.pmf(found["only_first"], differing, 0.5)
    assert found["p_value"] == pytest.approx(expected - point)


def test_mid_p_equals_its_authors_example():
    """Fagerland, Lydersen and Laake, 2013: 1 and 7 pairs that differ; exact 0.070, mid-p 0.039."""
    first = np.array([True] + [False] * 7 + [True] * 12)
    second = np.array([False] + [True] * 7 + [True] * 12)
    found = mcnemar(first, second)
    assert (found["only_first"], found["only_second"]) == (1, 7)
    assert round(found["exact_p_value"], 3) == 0.070
    assert round(found["p_value"], 3) == 0.039


def _golden():
    path = pathlib.Path(__file__).with_name("golden_significance.py")
    spec = importlib.util.spec_from_file_location("golden_significance", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("p_values", "adjusted"), _golden().HOLM)
def test_holm_equals_statsmodels(p_values, adjusted):
    assert holm(p_values).tolist() == pytest.approx(adjusted)


@pytest.mark.parametrize(("table", "p_value"), _golden().MCNEMAR)
def test_exact_mcnemar_equals_statsmodels(table, p_value):
    (both, first_only), (second_only, neither) = table
    counts = (both, first_only, second_only, neither)
    first = np.repeat([True, True, False, False], counts)
    second = np.repeat([True, False, True, False], counts)
    assert mcnemar(first, second)["exact_p_value"] == pytest.approx(p_value)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_only_raises(p_values):
    adjusted = holm(p_values)
    assert np.all(adjusted >= p_values)
    assert np.all(adjusted <= np.minimum(1, np.array(p_values) * len(p_values)) + 1e-12)
    assert np.all(np.diff(adjusted[np.argsort(p_values, kind="stable")]) >= 0)


@pytest.mark.parametrize(("count", "examples"), [(0, 10), (3, 7), (90, 100), (5, 5)])
def test_interval_of_a_share_is_that_of_scipy(count, examples):
    expected = stats.binomtest(count, examples).proportion_ci(0.9, method="wilson")
    found = wilson(count / examples, examples, 0.9)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_intervals_of_means_of_shares_stay_between_0_and_1():
    scores = np.array([1.0] * 24 + [0.1])
    low, high = mean_interval(scores, scores)
    assert 0 < low < scores.mean() < high < 1
    errors = scores * 3  # numbers without a bound
    expected = stats.ttest_1samp(errors, 0).confidence_interval()
    assert mean_interval(errors, errors) == pytest.approx((expected.low, expected.high))
