"""Regression: metrics by SciPy and scikit-learn, and answers in the data's own unit."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from ftkeras.problems._numbers import fisher, measure
from ftkeras.problems.regression import Regression
from ftkeras.statistics import bootstrap
from ftkeras.statistics.number_predictions import NumberPredictions

RNG = np.random.default_rng(3)
# In a unit of their own, with ties, and one output on a far larger scale than the other.
TARGETS = np.round(RNG.normal(size=(40, 2)), 1) * [1.0, 1000.0] + [3.0, -50.0]
OUTPUTS = RNG.normal(size=(40, 2)).astype(np.float32)


@pytest.fixture(params=["standard", "none"])
def problem(request):
    made = Regression(labels=("score", "price"), scale=request.param)
    made.fit(TARGETS)
    return made


def _unit(problem) -> np.ndarray:
    """Return the outputs in the data's own unit, by hand."""
    if problem.scaling == "none":
        return OUTPUTS.astype(float)
    return OUTPUTS * TARGETS.std(axis=0) + TARGETS.mean(axis=0)


def _mean_squared_error(targets, outputs):
    return np.square(targets - outputs).mean()


def test_metrics_are_means_over_the_outputs(problem):
    found = problem.metrics(TARGETS, OUTPUTS, _mean_squared_error)
    answers = _unit(problem)
    spearman = [stats.spearmanr(TARGETS[:, n], answers[:, n]).statistic for n in (0, 1)]
    assert found["spearman"] == pytest.approx(np.mean(spearman))
    assert found["mae"] == pytest.approx(np.abs(TARGETS - answers).mean())
    assert found["rmse"] == pytest.approx(np.sqrt(np.square(TARGETS - answers).mean(axis=0)).mean())
    r2 = metrics.r2_score(TARGETS, answers, multioutput="raw_values")
    assert [row["r2"] for row in found["per_output"]] == pytest.approx(r2)
    assert [row["name"] for row in found["per_output"]] == ["score", "price"]


def test_targets_are_standardized_and_predictions_are_not(problem):
    batch = problem.collate(TARGETS, np.arange(40))["targets"]
    assert batch.dtype == np.float32
    if problem.scaling == "standard":
        np.testing.assert_allclose(
            [batch.mean(axis=0), batch.std(axis=0)], [[0, 0], [1, 1]], atol=1e-5
        )
    rows = problem.decode(TARGETS, OUTPUTS)
    np.testing.assert_allclose([row["values"] for row in rows], _unit(problem), rtol=1e-5)
    np.testing.assert_array_equal([row["targets"] for row in rows], TARGETS)


def test_scale_is_folded_into_the_exported_classifier(problem):
    vectors, kernel = RNG.normal(size=(5, 4)), RNG.normal(size=(4, 2)).astype(np.float32)
    bias = np.float32([0.5, -1.0])
    folded = problem.huggingface_classifier(kernel, bias)
    assert {array.dtype for array in folded} == {np.dtype(np.float32)}
    expected = problem.activate(vectors @ kernel + bias).numpy()
    np.testing.assert_allclose(vectors @ folded[0] + folded[1], expected, rtol=1e-4)
    answers = problem.huggingface_problem().activate(vectors @ folded[0] + folded[1])
    np.testing.assert_allclose(answers, expected, rtol=1e-4)


def test_batchwise_error_is_in_the_data_s_unit(problem):
    (metric,) = problem.epoch_metrics()
    for part in (slice(0, 30), slice(30, 40)):
        batch = problem.collate(TARGETS, np.arange(40)[part])["targets"]
        metric.update_state(batch, OUTPUTS[part], sample_weight=np.ones(len(batch)))
    assert float(metric.result()) == pytest.approx(
        np.abs(TARGETS - _unit(problem)).mean(), rel=1e-4
    )


def test_rounding_is_no_large_change_of_predictions_that_hardly_vary(problem):
    rows = problem.decode(TARGETS, np.full_like(OUTPUTS, 0.3))
    values = np.array([row["values"] for row in rows])
    assert problem.compare(rows, values * (1 + 2e-7)).logit_change < 1e-3
    assert problem.compare(rows, values + 0.1 * TARGETS.std(axis=0)).logit_change > 1


def test_constant_predictions_have_no_correlation():
    found = measure(np.array([1.0, 2.0, 3.0]), np.full(3, 2.0))
    assert found["spearman"] is found["pearson"] is None
    assert found["r2"] == 0


def test_constant_that_rounding_changes_has_no_correlation_either():
    targets, values = np.full((7, 1), 3.3), np.arange(7.0)[:, None]
    assert targets.std() > 0
    found = measure(targets[:, 0], values[:, 0])
    assert found["spearman"] is found["pearson"] is found["r2"] is None
    # Of the second row, all examples are constant that have a weight.
    targets[0] = 1.0
    weights = np.array([np.ones(7), [0, *[2] * 6]])
    table = NumberPredictions(targets, values).table().metrics(weights)
    assert np.isnan(table).tolist() == [[False] * 5, [True, True, False, False, True]]
    problem = Regression(labels=("score",))
    problem.fit(np.full((7, 1), 3.3))
    assert problem.state()["sd"] == [1.0]


def test_output_whose_answers_are_constant_counts_in_no_mean_of_correlations():
    targets = np.column_stack([TARGETS[:, 0], np.full(40, 3.3)])
    problem = Regression(labels=("score", "fixed"))
    problem.fit(TARGETS)
    found = problem.metrics(targets, OUTPUTS, _mean_squared_error)
    first, fixed = found["per_output"]
    assert [found[name] for name in ("spearman", "pearson", "r2")] == [
        first[name] for name in ("spearman", "pearson", "r2")
    ]
    assert found["mae"] == pytest.approx((first["mae"] + fixed["mae"]) / 2)
    predictions = problem.predictions(problem.decode(targets, OUTPUTS))
    weighted = predictions.table().metrics(np.ones((1, 40)))[0]
    np.testing.assert_allclose(weighted, [found[n] for n in predictions.metrics], rtol=1e-6)
    measured = {"validation": found, "test": found}
    assert "'fixed' are all the same in validation" in problem.report(measured, "test", "")[-2]


def test_model_does_not_gain_by_constant_predictions_of_one_output(problem):
    given_up = OUTPUTS * np.float32([1, 0])
    found = problem.metrics(TARGETS, given_up, _mean_squared_error)
    assert found["spearman"] is None
    assert found["r2"] is not None


def test_r2_of_large_numbers_is_scikit_learns():
    targets = RNG.normal(size=(200, 1)) + 1e8
    values = targets + 0.5 * RNG.normal(size=targets.shape)
    found = NumberPredictions(targets, values).table().metrics(np.ones((1, 200)))
    assert found[0, -1] == pytest.approx(metrics.r2_score(targets, values), rel=1e-6)


def test_outlier_without_a_weight_does_not_change_r2():
    targets, weights = np.append(RNG.uniform(size=50), 1e8)[:, None], np.append(np.ones(50), 0)
    values = targets + 0.1 * RNG.normal(size=targets.shape)
    found = NumberPredictions(targets, values).table().metrics(weights[None])
    expected = metrics.r2_score(targets, values, sample_weight=weights)
    assert found[0, -1] == pytest.approx(expected, rel=1e-9)


def test_constant_column_is_no_reason_to_divide_by_zero():
    # The mean of 0.7, seven times, is not 0.7.
    targets = np.stack([np.arange(7.0), np.full(7, 7.0), np.full(7, 0.7)], axis=1)
    problem = Regression(labels=("a", "b", "c"))
    problem.fit(targets)
    assert problem.shortcoming(targets) is None
    standardized = problem.collate(targets, np.arange(7))["targets"]
    np.testing.assert_allclose(standardized[:, 1:], 0, atol=1e-6)
    assert "have the answer 0, 7, 0.7;" in problem.shortcoming(targets[:1])


def test_weighted_metrics_are_those_of_repeated_examples():
    values = TARGETS + RNG.normal(size=TARGETS.shape)
    weights = RNG.integers(0, 4, size=(3, 40))
    found = NumberPredictions(TARGETS, values).table().metrics(weights.astype(np.float32))
    for row, counts in zip(found, weights, strict=True):
        columns = [np.repeat(array, counts, axis=0) for array in (TARGETS, values)]
        by_output = [list(measure(columns[0][:, n], columns[1][:, n]).values()) for n in (0, 1)]
        np.testing.assert_allclose(row, np.mean(by_output, axis=0), rtol=1e-9)


def test_interval_of_a_difference_in_error_excludes_zero_for_a_clearly_better_model():
    good, bad = (NumberPredictions(TARGETS[:, :1], TARGETS[:, :1] + by) for by in (0.1, 1.0))
    samples = bootstrap.resample([[good], [bad]], resamples=50, seed=0)
    place = NumberPredictions.metrics.index(NumberPredictions.tested.name)
    assert (samples[:, 1, place] > samples[:, 0, place]).all()


def test_advice_names_a_model_that_ignores_the_text():
    problem = Regression(labels=("score",))
    problem.fit(TARGETS[:, :1])
    flat = problem.details(TARGETS[:, :1], OUTPUTS[:, :1] * 0.001)
    assert problem.advice(flat) == ["the model predicts nearly the same number for every text"]
    assert problem.advice(problem.details(TARGETS[:, :1], OUTPUTS[:, :1])) == []
    few, many = ({"spearman": 0.5, "examples": n} for n in (40, 4000))
    assert "may be anything from 0.2" in problem.doubt(few)
    assert problem.doubt(many) is None


def test_fisher_s_interval_covers_the_truth_as_often_as_it_says():
    rng, covered = np.random.default_rng(0), 0
    for _ in range(300):
        first = rng.normal(size=60)
        found = stats.spearmanr(first, 0.5 * first + rng.normal(size=60)).statistic
        low, high = fisher(found, 60)
        truth = 6 / np.pi * np.arcsin(0.5 / np.sqrt(1.25) / 2)  # Spearman's of two normals
        covered += low <= truth <= high
    assert 0.91 <= covered / 300 <= 0.985
