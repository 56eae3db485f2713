import math
import types

import numpy as np
import pytest

from ftkeras.config.find_rate import FindRateConfig
from ftkeras.data.splits import open_splits
from ftkeras.experiment import build, optimization, range_test
from ftkeras.experiment.feeds import training_feed
from ftkeras.experiment.range_test import Curve, Suggestion

RATES = np.geomspace(1e-6, 1.0, 100)


def _curve(lowest: float, depth: float, noise: float) -> np.ndarray:
    """Losses that are level, fall to a lowest point and rise steeply after it."""
    distance = np.log10(RATES / lowest)
    falling = 0.7 - depth * np.exp(-0.5 * (distance / 0.8) ** 2)
    rising = np.where(distance > 0, distance**2, 0)
    return falling + rising + noise * np.random.default_rng(1).normal(size=100)


def _suggest(losses: np.ndarray) -> Suggestion:
    return range_test.suggest(Curve(RATES, losses, range_test.smooth(losses)))


@pytest.mark.parametrize("lowest", [1e-4, 3e-3, 2e-2])
@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_lowest_point_and_steepest_fall_are_found(lowest, noise):
    losses = _curve(lowest, depth=0.4, noise=noise)
    found = _suggest(losses)
    assert found.doubt is None
    assert abs(math.log10(found.lowest / lowest)) < 0.35
    assert found.tenth == found.lowest / 10
    assert lowest / 100 < found.steepest < found.lowest  # the bell is steepest 0.8 decades before
    assert abs(math.log10(found.steepest / lowest) + 0.8) < 0.5


@pytest.mark.parametrize("seed", range(20))
def test_level_curve_gives_no_suggestion(seed):
    losses = 0.7 + 0.05 * np.random.default_rng(seed).normal(size=100)
    losses[90:] = np.linspace(1, 4, 10)
    doubt = _suggest(losses).doubt
    assert "chance" in doubt


def test_curve_that_only_falls_asks_for_higher_rates():
    losses = np.linspace(2, 0, 100)
    assert "`max_rate`" in range_test.suggest(Curve(RATES, losses, losses)).doubt


def test_smoothing_does_not_lag():
    smooth = range_test.smooth(np.abs(np.arange(100) - 50.0))
    assert smooth.argmin() == 50


@pytest.mark.parametrize(
    ("losses", "kept"),
    [
        ([1.0] * 30, 20),
        ([1.0, float("nan"), 1.0], 1),
        ([1.0, 1.0, float("inf")], 2),
        ([1.0] * 5 + [100.0] * 5, 6),
        ([1.0] * 5 + [3.9] * 9, 14),
    ],
)
def test_watch_stops_where_the_loss_diverges(losses, kept):
    watch = range_test._LossRecorder(20)
    watch.set_model(types.SimpleNamespace(stop_training=False, reset_metrics=lambda: None))
    for step, loss in enumerate(losses):
        if watch.model.stop_training:
            break
        watch.on_train_batch_begin(step)
        watch.on_train_batch_end(step, {"loss": loss})
    assert watch.losses == losses[:kept]


CONFIG = FindRateConfig(
    task="quickstart",
    encoder="bert(layers=1, hidden=16, heads=1, positions=32, dropout=0.0, attention_dropout=0.0, "
    "vocabulary='reviews')",
    head="classification(dropout=0.0)",
    max_length=16,
    batch_size=8,
    train_examples=64,
    learning_rate=3e-5,
    epochs=3,
    steps=12,  # more than the eight of an epoch
    min_rate=1e-8,
    max_rate=1e-2,
)


@pytest.fixture(scope="module")
def tested():
    """A range test of a tiny model: the experiment, its weights before, rates, losses, batches."""
    experiment = build.experiment(CONFIG)
    before = experiment.model.get_weights()
    with open_splits(CONFIG, experiment.task, experiment.text_layer) as splits:
        feed = training_feed(experiment, splits)
        optimization.compile_to_train(experiment, total_steps=100)
        curve = range_test.range_test(
            experiment.model, feed, lowest=1e-8, highest=1e-2, steps=CONFIG.steps
        )
        batches = list(feed.dataset(epoch=0))
    return experiment, before, curve.learning_rates, curve.losses, batches


@pytest.mark.matrix
def test_range_test_gives_the_weights_back(tested):
    experiment, before, *_ = tested
    for weight, was in zip(experiment.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, was)


def test_range_test_rises_from_the_lowest_to_the_highest_rate(tested):
    _, _, rates, losses, _ = tested
    np.testing.assert_allclose(rates, np.geomspace(1e-8, 1e-2, 12), rtol=1e-4)
    assert len(losses) == 12


def _loss(model, inputs, answers) -> float:
    there = answers["example_mask"].numpy()
    return float(model.loss(answers["targets"][there], model(inputs)[there]))


def test_range_test_keeps_each_batchs_own_loss(tested):
    experiment, _, _, losses, batches = tested
    # The first rates are too low to move the weights by anything that shows.
    untrained = [_loss(experiment.model, inputs, answers) for inputs, answers in batches[:4]]
    assert np.ptp(untrained) > 1e-4  # or a mean over the epoch, which Keras tells, would pass too
    np.testing.assert_allclose(losses[:4], untrained, rtol=1e-5)
