import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from ftkeras.statistics import bootstrap
from ftkeras.statistics.bootstrap import FIGURES, Answers


def _answers(seed: int, *, examples: int = 200, classes: int = 2, skill: float = 1.0) -> Answers:
    labels = np.random.default_rng(99).integers(0, classes, examples)
    logits = np.random.default_rng(seed).normal(size=(examples, classes))
    logits[np.arange(examples), labels] += skill
    odds = np.exp(logits)
    # Rounded, as files of predictions are, so that some scores are the same.
    return Answers(labels, np.round(odds / odds.sum(axis=1, keepdims=True), 2))


def _sklearn(answers: Answers, weights: np.ndarray) -> list[float]:
    labels, given = answers.labels, answers.probabilities
    said, classes = given.argmax(axis=1), np.arange(given.shape[1])
    two = len(classes) == 2
    averaged = {"average": "binary"} if two else {"average": "macro", "labels": classes}
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, said, sample_weight=weights, zero_division=0.0, **averaged
    )
    of_truth = np.maximum(given[np.arange(len(labels)), labels], bootstrap.SMALLEST)
    areas = [
        metrics.roc_auc_score(labels == label, given[:, label], sample_weight=weights)
        for label in ([1] if two else classes)
    ]
    return [
        metrics.accuracy_score(labels, said, sample_weight=weights),
        np.average(-np.log(of_truth), weights=weights),
        *(precision, recall, f1, np.mean(areas)),
    ]


@given(st.integers(0, 1000), st.integers(2, 4))
@settings(max_examples=25, deadline=None)
def test_figures_under_weights_are_scikit_learns(seed, classes):
    answers = _answers(seed, classes=classes)
    weights = np.random.default_rng(seed).integers(0, 4, (3, 200))
    found = bootstrap._Table(answers).figures(weights.astype(np.float32))
    for row, ours in zip(weights, found, strict=True):
        assert ours == pytest.approx(_sklearn(answers, row), rel=1e-5)


def test_area_has_no_value_where_a_class_is_missing():
    answers = _answers(0, examples=4)
    only = (answers.labels == answers.labels[0]).astype(np.float32)[None]
    assert np.isnan(bootstrap._Table(answers).figures(only)[0, FIGURES.index("auc")])


def test_interval_of_one_run_is_scipys():
    answers = _answers(1, examples=400)
    samples = bootstrap.resampled([[answers]], resamples=20_000, seed=0)
    low, high = bootstrap.interval(samples[:, 0], 0.9)
    right, loss = answers.right.astype(float), -np.log(np.maximum(answers.of_truth, 5e-8))
    for number, values in enumerate((right, loss)):
        theirs = stats.bootstrap(
            (values,),
            np.mean,
            n_resamples=20_000,
            method="percentile",
            confidence_level=0.9,
            rng=np.random.default_rng(1),
        ).confidence_interval
        width = theirs.high - theirs.low
        assert low[number] == pytest.approx(theirs.low, abs=0.04 * width)
        assert high[number] == pytest.approx(theirs.high, abs=0.04 * width)


def test_difference_is_paired():
    """Two runs that err on the same examples differ by little, however much each is unsure of."""
    first = _answers(2, skill=0.5)
    samples = bootstrap.resampled([[first], [first]], resamples=500, seed=0)
    assert np.array_equal(samples[:, 0], samples[:, 1])
    assert samples[:, 0, 0].std() > 0.01


def test_scatter_of_seeds_is_in_the_samples_without_bias():
    """Variance = that of the examples + (variance between the runs) / runs."""
    labels = np.zeros(1000, int)
    rights = [600, 700, 800]
    runs = []
    for right in rights:
        given = np.where(np.arange(1000) < right, 0.9, 0.1)
        runs.append(Answers(labels, np.stack([given, 1 - given], axis=1)))
    accuracy = bootstrap.resampled([runs], resamples=8000, seed=0)[:, 0, 0]
    between = np.var([right / 1000 for right in rights], ddof=1) / 3
    assert accuracy.mean() == pytest.approx(0.7, abs=0.003)
    assert accuracy.var() == pytest.approx(between + 0.7 * 0.3 / 1000, rel=0.08)


def test_same_seed_draws_the_same_and_another_others():
    ways = [[_answers(1), _answers(2)], [_answers(3)]]
    first = bootstrap.resampled(ways, resamples=50, seed=3)
    assert first.shape == (50, 2, len(FIGURES))
    assert np.array_equal(bootstrap.resampled(ways, resamples=50, seed=3), first)
    assert not np.array_equal(bootstrap.resampled(ways, resamples=50, seed=4), first)


def test_samples_of_a_way_hang_on_no_other_way():
    alone, other = [_answers(1), _answers(2)], [_answers(3), _answers(4)]
    both = bootstrap.resampled([alone, other], resamples=50, seed=0)
    assert np.array_equal(bootstrap.resampled([alone], resamples=50, seed=0)[:, 0], both[:, 0])


def test_samples_are_drawn_in_steps_of_any_size(monkeypatch):
    monkeypatch.setattr(bootstrap, "WEIGHTS_A_STEP", 450)
    samples = bootstrap.resampled([[_answers(1)]], resamples=7, seed=0)
    assert len(samples) == 7
    weights = list(bootstrap._weights(np.random.default_rng(0), 200, 7))
    assert [len(step) for step in weights] == [2, 2, 2, 1]
    assert all(np.all(step.sum(axis=1) == 200) for step in weights)


def test_measured_is_the_mean_over_runs():
    ways = [[_answers(1), _answers(2)]]
    each = [_sklearn(run, np.ones(200)) for run in ways[0]]
    assert bootstrap.measured(ways)[0] == pytest.approx(np.mean(each, axis=0), rel=1e-5)


def test_p_value_is_the_level_whose_interval_just_holds_no_difference():
    samples = np.random.default_rng(0).normal(1, 1, 20_000)
    assert bootstrap.p_value(samples) == pytest.approx(2 * stats.norm.sf(1), abs=0.01)
    assert bootstrap.p_value(np.ones(99)) == 0.02
    assert bootstrap.p_value(np.zeros(99)) == 1.0
