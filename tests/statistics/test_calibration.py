"""Calibration: scikit-learn's curve and Brier score, SciPy's and a grid's temperature."""

import numpy as np
import pytest
from scipy import optimize, special
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from ftkeras.errors import UserError
from ftkeras.statistics import calibration
from ftkeras.statistics.calibration import Forecasts

RNG = np.random.default_rng(3)
LOGITS = RNG.normal(size=(2_000, 3))
LABELS = np.array([RNG.choice(3, p=p) for p in special.softmax(LOGITS, axis=1)])
# Three times too sure.
PROBABILITIES = special.softmax(3 * LOGITS, axis=1)
FORECASTS = Forecasts.of_classes(LABELS, PROBABILITIES)


@pytest.mark.parametrize(("equal", "strategy"), [("width", "uniform"), ("mass", "quantile")])
def test_bins_are_those_of_scikit_learn(equal, strategy):
    p, y = FORECASTS.probabilities.ravel(), FORECASTS.outcomes.ravel()
    shares, means = calibration_curve(y, p, n_bins=10, strategy=strategy)
    found = calibration.bins(FORECASTS, 10, equal)
    np.testing.assert_allclose([one.share for one in found], shares, atol=1e-12)
    np.testing.assert_allclose([one.mean for one in found], means, atol=1e-12)
    assert sum(one.count for one in found) == 2_000


def test_equal_probabilities_share_a_bin_of_equal_mass():
    p = np.array([[0.0], [0.5], [0.5], [0.5], [0.5], [1.0]])
    found = calibration.bins(Forecasts.of_labels((p > 0.6).astype(int), p), 3, "mass")
    assert [one.count for one in found] == [1, 5] or [one.count for one in found] == [1, 4, 1]


def test_measures_of_classes_are_those_of_scikit_learn():
    found = FORECASTS.measure()
    assert found["nll"] == pytest.approx(log_loss(LABELS, PROBABILITIES))
    one_hot = np.eye(3)[LABELS]
    assert found["brier"] == pytest.approx(np.square(PROBABILITIES - one_hot).sum(axis=1).mean())
    assert found["ece"] == pytest.approx(calibration.calibration_error(calibration.bins(FORECASTS)))


def test_brier_score_of_two_classes_and_of_labels_is_that_of_scikit_learn():
    binary = LABELS.clip(0, 1)
    p = special.expit(LOGITS[:, 0])
    two = Forecasts.of_classes(binary, np.column_stack([1 - p, p])).measure()
    one = Forecasts.of_labels(binary[:, None], p[:, None]).measure()
    assert two["brier"] == pytest.approx(brier_score_loss(binary, p))
    assert one["brier"] == pytest.approx(two["brier"])
    assert one["nll"] == pytest.approx(two["nll"])


def test_interval_holds_the_value_also_if_it_is_nearly_0():
    calibrated = Forecasts.of_classes(LABELS, special.softmax(LOGITS, axis=1))
    for forecasts in (FORECASTS, calibrated):
        value, interval = forecasts.measure(), forecasts.intervals(resamples=300)
        for name, (low, high) in interval.items():
            assert 0 <= low <= value[name] <= high
    assert FORECASTS.intervals(resamples=300)["ece"][0] > 0.1
    assert calibrated.measure()["ece"] < 0.04


def test_interval_has_its_confidence_in_repeated_samples():
    """The true error of forecasts 0.8 that come true in 60 % of the cases is 0.2."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(50):
        outcomes = (rng.random((200, 1)) < 0.6).astype(int)
        found = Forecasts.of_labels(outcomes, np.full((200, 1), 0.8)).intervals(resamples=200)
        held += found["ece"][0] <= 0.2 <= found["ece"][1]
    assert held >= 44


def test_temperature_is_the_best_of_a_grid_and_of_scipy():
    def loss(temperature):
        logs = special.log_softmax(3 * LOGITS / temperature, axis=1)
        return -logs[np.arange(len(LABELS)), LABELS].mean()

    found = calibration.fit_temperature(loss)
    assert found == pytest.approx(3.0, rel=0.1)
    grid = np.linspace(1, 6, 501)
    assert found == pytest.approx(grid[np.argmin([loss(t) for t in grid])], abs=0.01)
    brent = optimize.minimize_scalar(lambda log: loss(np.exp(log)), bracket=(0, 1), tol=1e-10)
    assert found == pytest.approx(np.exp(brent.x), rel=1e-4)


def test_coverage_and_threshold_are_those_of_trying_all():
    confidence, correct = FORECASTS.probabilities.ravel(), FORECASTS.outcomes.ravel()
    confidence = confidence.round(2)  # with ties
    thresholds, coverage, accuracy = calibration.coverage_curve(confidence, correct)
    for threshold, share, mean in zip(thresholds, coverage, accuracy, strict=True):
        chosen = confidence >= threshold
        assert (share, mean) == pytest.approx((chosen.mean(), correct[chosen].mean()))
    assert coverage[-1] == 1
    threshold, share = calibration.threshold_for(confidence, correct, 0.7)
    enough = [t for t in np.unique(confidence) if correct[confidence >= t].mean() >= 0.7]
    assert (threshold, share) == pytest.approx((enough[0], (confidence >= enough[0]).mean()))


def test_accuracy_that_no_threshold_gives_or_that_is_no_share():
    assert calibration.threshold_for(np.array([0.9, 0.8]), np.array([0, 1]), 0.9) is None
    with pytest.raises(UserError, match="`accuracy` must be from 0 to 1"):
        calibration.threshold_for(np.array([0.9]), np.array([1]), 90)


def _alarms(sureness, examples, repeats):
    """Return the share of samples whose interval excludes 0; a `sureness` of 1 is calibrated."""
    rng, alarms = np.random.default_rng(0), 0
    for _ in range(repeats):
        logits = 2 * rng.normal(size=(examples, 1))
        outcomes = (rng.random((examples, 1)) < special.expit(logits)).astype(int)
        found = Forecasts.of_labels(outcomes, special.expit(sureness * logits))
        alarms += found.intervals(resamples=20)["ece"][0] > 0
    return alarms / repeats


@pytest.mark.parametrize("examples", [50, 200])
def test_calibrated_forecasts_of_few_examples_are_rarely_said_not_to_be(examples):
    assert _alarms(1.0, examples, repeats=60) <= 7 / 60  # 3 expected; more: a probability of 1 %


def test_forecasts_that_are_too_sure_are_noticed():
    assert _alarms(3.0, 200, repeats=20) == 1


def test_error_by_chance_is_that_of_drawing_each_outcome():
    rng, errors = np.random.default_rng(1), []
    p = FORECASTS.probabilities[:400]
    for _ in range(500):
        drawn = Forecasts.of_labels((rng.random(p.shape) < p).astype(int), p)
        errors.append(calibration.calibration_error(calibration.bins(drawn)))
    found = Forecasts.of_labels(np.zeros_like(p), p).error_by_chance()
    assert found == pytest.approx(np.quantile(errors, 0.95), rel=0.07)
