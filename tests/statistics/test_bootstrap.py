import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from ftkeras.statistics import bootstrap, ratios
from ftkeras.statistics.class_predictions import ClassPredictions
from ftkeras.statistics.label_predictions import LabelPredictions
from ftkeras.statistics.number_predictions import NumberPredictions


def _predictions(
    seed: int, *, examples: int = 200, classes: int = 2, skill: float = 1.0
) -> ClassPredictions:
    labels = np.random.default_rng(99).integers(0, classes, examples)
    logits = np.random.default_rng(seed).normal(size=(examples, classes))
    logits[np.arange(examples), labels] += skill
    odds = np.exp(logits)
    # Rounded, as in a file of predictions, so that some scores are equal.
    return ClassPredictions(labels, np.round(odds / odds.sum(axis=1, keepdims=True), 2))


def _sklearn(predictions: ClassPredictions, weights: np.ndarray) -> list[float]:
    labels, given = predictions.labels, predictions.probabilities
    predicted, classes = given.argmax(axis=1), np.arange(given.shape[1])
    two = len(classes) == 2
    averaged = {"average": "binary"} if two else {"average": "macro", "labels": classes}
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, predicted, sample_weight=weights, zero_division=0.0, **averaged
    )
    of_truth = given[np.arange(len(labels)), labels]
    of_truth = np.maximum(of_truth, ratios.SMALLEST_PROBABILITY)
    aucs = [
        metrics.roc_auc_score(labels == label, given[:, label], sample_weight=weights)
        for label in ([1] if two else classes)
    ]
    return [
        metrics.accuracy_score(labels, predicted, sample_weight=weights),
        np.average(-np.log(of_truth), weights=weights),
        *(precision, recall, f1, np.mean(aucs)),
    ]


@given(st.integers(0, 1000), st.integers(2, 4))
@settings(max_examples=25, deadline=None)
def test_weighted_metrics_equal_those_of_scikit_learn(seed, classes):
    predictions = _predictions(seed, classes=classes)
    weights = np.random.default_rng(seed).integers(0, 4, (3, 200))
    # Without examples of a class, scikit-learn has no AUC, and counts the class in its means.
    assume(all(len(np.unique(predictions.labels[row > 0])) == classes for row in weights))
    found = predictions.table().metrics(weights.astype(np.float32))
    for row, ours in zip(weights, found, strict=True):
        assert ours == pytest.approx(_sklearn(predictions, row), rel=1e-5)


def test_auc_is_nan_if_a_class_is_missing():
    predictions = _predictions(0, examples=4)
    only = (predictions.labels == predictions.labels[0]).astype(np.float32)[None]
    assert np.isnan(predictions.table().metrics(only)[0, ClassPredictions.metrics.index("auc")])


def test_interval_of_one_run_equals_that_of_scipy():
    predictions = _predictions(1, examples=400)
    samples = bootstrap.resample([[predictions]], resamples=20_000, seed=0)
    low, high = bootstrap.percentile_interval(samples[:, 0], 0.9)
    correct, loss = (
        predictions.correct.astype(float),
        -np.log(np.maximum(predictions.true_probabilities, 5e-8)),
    )
    for number, values in enumerate((correct, loss)):
        expected = stats.bootstrap(
            (values,),
            np.mean,
            n_resamples=20_000,
            method="percentile",
            confidence_level=0.9,
            rng=np.random.default_rng(1),
        ).confidence_interval
        width = expected.high - expected.low
        assert low[number] == pytest.approx(expected.low, abs=0.04 * width)
        assert high[number] == pytest.approx(expected.high, abs=0.04 * width)


def test_differences_are_paired():
    """Two runs with the same errors do not differ, although each metric has a wide interval."""
    first = _predictions(2, skill=0.5)
    samples = bootstrap.resample([[first], [first]], resamples=500, seed=0)
    assert np.array_equal(samples[:, 0], samples[:, 1])
    assert samples[:, 0, 0].std() > 0.01


def test_variance_between_seeds_is_included_without_bias():
    """Variance = variance over examples + (variance between the runs) / runs."""
    labels = np.zeros(1000, int)
    counts = [600, 700, 800]
    runs = []
    for correct in counts:
        given = np.where(np.arange(1000) < correct, 0.9, 0.1)
        runs.append(ClassPredictions(labels, np.stack([given, 1 - given], axis=1)))
    accuracy = bootstrap.resample([runs], resamples=8000, seed=0)[:, 0, 0]
    between = np.var([count / 1000 for count in counts], ddof=1) / 3
    assert accuracy.mean() == pytest.approx(0.7, abs=0.003)
    assert accuracy.var() == pytest.approx(between + 0.7 * 0.3 / 1000, rel=0.08)


def test_samples_depend_on_the_seed_only():
    recipes = [[_predictions(1), _predictions(2)], [_predictions(3)]]
    first = bootstrap.resample(recipes, resamples=50, seed=3)
    assert first.shape == (50, 2, len(ClassPredictions.metrics))
    assert np.array_equal(bootstrap.resample(recipes, resamples=50, seed=3), first)
    assert not np.array_equal(bootstrap.resample(recipes, resamples=50, seed=4), first)


def test_samples_of_a_recipe_do_not_depend_on_other_recipes():
    alone, other = [_predictions(1), _predictions(2)], [_predictions(3), _predictions(4)]
    both = bootstrap.resample([alone, other], resamples=50, seed=0)
    assert np.array_equal(bootstrap.resample([alone], resamples=50, seed=0)[:, 0], both[:, 0])


def test_samples_are_drawn_in_steps(monkeypatch):
    monkeypatch.setattr(bootstrap, "WEIGHTS_PER_STEP", 450)
    samples = bootstrap.resample([[_predictions(1)]], resamples=7, seed=0)
    assert len(samples) == 7
    weights = list(bootstrap._weights(np.random.default_rng(0), 200, 7))
    assert [len(step) for step in weights] == [2, 2, 2, 1]
    assert all(np.all(step.sum(axis=1) == 200) for step in weights)


def test_metrics_are_averaged_over_runs():
    recipes = [[_predictions(1), _predictions(2)]]
    each = [_sklearn(run, np.ones(200)) for run in recipes[0]]
    assert bootstrap.evaluate(recipes)[0] == pytest.approx(np.mean(each, axis=0), rel=1e-5)


def test_p_value_is_the_level_at_which_the_interval_excludes_no_difference():
    samples = np.random.default_rng(0).normal(1, 1, 20_000)
    assert bootstrap.p_value(samples) == pytest.approx(2 * stats.norm.sf(1), abs=0.01)
    assert bootstrap.p_value(np.ones(99)) == 0.02
    assert bootstrap.p_value(np.zeros(99)) == 1.0


@pytest.mark.parametrize("right", [True, False])
def test_accuracy_without_a_mistake_has_wilsons_interval(right):
    labels = np.arange(40) % 2
    run = ClassPredictions(labels, np.eye(2)[labels if right else 1 - labels])
    samples = bootstrap.resample([[run]], resamples=200, seed=0)[:, 0]
    low, high = bootstrap.intervals([run, run], samples, 0.9)
    test = stats.binomtest(40 if right else 0, 40)
    wanted = test.proportion_ci(confidence_level=0.9, method="wilson")
    assert (low[0], high[0]) == pytest.approx((wanted.low, wanted.high))
    positive = stats.binomtest(20 if right else 0, 20).proportion_ci(0.9, method="wilson")
    for at in (2, 3):
        assert (low[at], high[at]) == pytest.approx((positive.low, positive.high))
    assert np.isnan([low[4], high[4]]).all()  # F1 is no share


def test_other_intervals_are_percentiles():
    run = _predictions(1)
    samples = bootstrap.resample([[run]], resamples=200, seed=0)[:, 0]
    found = bootstrap.intervals([run], samples, 0.9)
    np.testing.assert_array_equal(found, bootstrap.percentile_interval(samples, 0.9))


def test_errors_of_exactly_1_are_no_shares():
    run = NumberPredictions(np.arange(30.0)[:, None], np.arange(30.0)[:, None] + 1)
    samples = bootstrap.resample([[run]], resamples=200, seed=0)[:, 0]
    low, high = bootstrap.intervals([run], samples, 0.95)
    at = run.metrics.index("mae")
    assert np.isnan([low[at], high[at]]).all()


def test_recall_and_precision_have_wilsons_intervals_by_their_own_numbers():
    # All 20 positives are found, and 10 negatives besides.
    labels, predicted = np.repeat([1, 0], [20, 80]), np.repeat([1, 0], [30, 70])
    run = ClassPredictions(labels, np.eye(2)[predicted])
    samples = bootstrap.resample([[run]], resamples=200, seed=0)[:, 0]
    low, high = bootstrap.intervals([run], samples, 0.95)
    wanted = stats.binomtest(20, 20).proportion_ci(0.95, method="wilson")
    assert (low[3], high[3]) == pytest.approx((wanted.low, 1))
    assert low[2] < 2 / 3 < high[2] < 1


def test_a_sample_averages_the_classes_that_it_holds():
    """So a perfect model has no samples with mistakes, however rare the classes are."""
    labels = np.repeat(range(20), 2)
    samples = bootstrap.resample(
        [[ClassPredictions(labels, np.eye(20)[labels])]], resamples=100, seed=0
    )
    assert samples[:, 0, 2:5] == pytest.approx(1)
    truth = np.eye(20, dtype=int)[labels]
    run = LabelPredictions(truth, truth, truth.astype(float))
    samples = bootstrap.resample([[run]], resamples=100, seed=0)
    assert samples[:, 0, run.metrics.index("macro_f1")] == pytest.approx(1)
