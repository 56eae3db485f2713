"""Clipping and noise against NumPy and SciPy, and epsilon against dp-accounting itself."""

from typing import Any

import dp_accounting
import numpy as np
import pytest
import tensorflow as tf
from dp_accounting import pld, rdp
from scipy import optimize, stats

from ftkeras import catalog
from ftkeras.errors import PartError
from ftkeras.privacy import Sampling, _accounting, in_words
from ftkeras.privacy.dp_sgd import DPSGD
from tests.matrix import matrix

RUN = Sampling(examples=1000, batch_size=50, steps=200, key=b"secret")


def _mechanism(**settings) -> DPSGD:
    return DPSGD(**{"noise": 1.5, "delta": 1e-4, "clip": 2.0, "sampling": RUN, **settings})


def _zeros():
    return [tf.zeros([3, 2]), tf.zeros([4])]


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_an_example_adds_at_most_the_clip(scale):
    rng = np.random.default_rng(0)
    gradients = [scale * rng.normal(size=s).astype("float32") for s in ((3, 2), (4,))]
    added = _mechanism().add(_zeros(), [tf.constant(g) for g in gradients])
    norm = np.sqrt(sum((g.astype(float) ** 2).sum() for g in gradients))
    for found, gradient in zip(added, gradients, strict=True):
        np.testing.assert_allclose(found, gradient * min(1, 2 / norm), rtol=1e-6)


def test_rows_that_are_looked_up_twice_count_as_their_sum():
    values = tf.constant([[3.0, 0.0], [1.0, 0.0], [0.0, 3.0]])
    rows = tf.IndexedSlices(values, tf.constant([2, 2, 0]), tf.constant([3, 2]))
    found, other = _mechanism(clip=2.5).add(_zeros(), [rows, tf.zeros([4])])
    np.testing.assert_allclose(found, [[0, 1.5], [0, 0], [2, 0]], rtol=1e-6)  # the norm is 5
    np.testing.assert_array_equal(other, np.zeros(4))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e38])
def test_an_example_whose_gradient_is_not_finite_adds_nothing(wrong):
    sums = _mechanism().add([tf.ones([3, 2]), tf.ones([4])], [tf.fill([3, 2], wrong), tf.ones([4])])
    for total in sums:
        np.testing.assert_array_equal(total, tf.ones_like(total))


def test_noise_is_normal_with_the_stated_spread():
    size, step = 20_000, tf.constant(7)
    (released,) = _mechanism().release([tf.fill([size], 100.0)], step)
    noise = released.numpy().astype(float) * 50 - 100  # of 50 examples that are expected
    # The limits of a test that a right generator fails once in a million seeds.
    low, high = stats.chi2.ppf([5e-7, 1 - 5e-7], size)
    assert low < (noise**2).sum() / (1.5 * 2.0) ** 2 < high
    assert abs(noise.mean()) < 5 * 3.0 / np.sqrt(size)
    assert stats.kstest(noise / 3.0, "norm").pvalue > 1e-6


def test_noise_depends_on_the_step_the_variable_and_the_key():
    sums = [tf.zeros([50]), tf.zeros([50])]
    first, second = _mechanism().release(sums, tf.constant(3))
    again, _ = _mechanism().release(sums, tf.constant(3))
    np.testing.assert_array_equal(again, first)
    later, _ = _mechanism().release(sums, tf.constant(4))
    other = Sampling(examples=1000, batch_size=50, steps=200, key=b"another")
    keyed, _ = _mechanism(sampling=other).release(sums, tf.constant(3))
    for one in (second, later, keyed):
        assert abs(np.corrcoef(first, one)[0, 1]) < 0.6
        assert not np.isin(first, one).any()


COSTS = {"much noise": (2.0, 0.004, 3000), "little noise": (0.7, 0.02, 470)}


@pytest.mark.parametrize("case", matrix(COSTS, default=["much noise"]))
def test_epsilon_is_that_of_dp_accounting(case):
    noise, rate, steps = COSTS[case]
    run = Sampling(examples=10_000, batch_size=round(rate * 10_000), steps=steps)
    report = DPSGD(noise=noise, delta=1e-5, sampling=run).report(steps)
    step = dp_accounting.PoissonSampledDpEvent(rate, dp_accounting.GaussianDpEvent(noise))
    accountants = {"epsilon": pld.PLDAccountant(), "epsilon_rdp": rdp.RdpAccountant()}
    for name, accountant in accountants.items():
        expected = accountant.compose(step, steps).get_epsilon(1e-5)
        assert report[name] == pytest.approx(expected, rel=1e-9)
    assert report["epsilon"] < report["epsilon_rdp"]


def test_epsilon_of_abadi_and_others_is_found():
    # Section 5.1: q = 0.01, sigma = 4, delta = 1e-5 and 10,000 steps cost an epsilon of 1.26 by the
    # moments accountant; later accountants find less.
    run = Sampling(examples=10_000, batch_size=100, steps=10_000)
    report = DPSGD(noise=4.0, delta=1e-5, sampling=run).report(10_000)
    assert 0.8 < report["epsilon"] < report["epsilon_rdp"] < 1.27


@pytest.mark.parametrize("accountant", ["rdp", "pld"])
def test_noise_that_is_found_costs_just_less_than_epsilon(accountant):
    run = Sampling(examples=3000, batch_size=64, steps=470)
    mechanism = DPSGD(epsilon=1.0, delta=1e-5, accountant=accountant, sampling=run)
    assert 0.99 < mechanism.report(470)["epsilon"] <= 1.0
    assert mechanism.report(100)["epsilon"] < 0.9  # fewer steps cost less


@pytest.mark.parametrize("target", matrix([0.01, 0.05], default=[0.05]))
def test_noise_for_a_small_epsilon_is_less_than_rdp_finds(target):
    known = (target, 0.02, 470, 1e-5)
    noise, bound = (_accounting.noise_for(*known, name) for name in ("pld", "rdp"))
    assert noise < bound
    step = dp_accounting.PoissonSampledDpEvent(0.02, dp_accounting.GaussianDpEvent(noise))
    accountant = pld.PLDAccountant(value_discretization_interval=1e-5).compose(step, 470)
    assert 0.9 * target < accountant.get_epsilon(1e-5) <= target


def test_without_noise_nothing_is_guaranteed():
    report = _mechanism(noise=0.0).report(10)
    assert report["epsilon"] is None
    assert "nothing is guaranteed" in in_words(report)
    (released,) = _mechanism(noise=0.0).release([tf.fill([3], 100.0)], tf.constant(0))
    np.testing.assert_array_equal(released, [2.0, 2.0, 2.0])


@pytest.mark.parametrize("noise", [0.01, 1e-6, 1e-155, 1e-200])
def test_too_little_noise_is_not_called_none(noise):
    report = _mechanism(noise=noise).report(10)
    assert (report["epsilon"], report["epsilon_rdp"]) == (None, None)
    assert f"too little noise ({noise:g} times the clip): epsilon is above" in in_words(report)


@pytest.mark.parametrize("noise", matrix([0.01, 0.15], default=[0.01]))
def test_cost_of_little_noise_is_found_without_much_memory(noise):
    cost = _accounting.epsilon(noise, 1.0, 10, 1e-5, "pld")
    # Without sampling, ten steps are one Gaussian mechanism with this sensitivity.
    size = np.sqrt(10) / noise

    def delta(epsilon):  # Balle and Wang, 2018, theorem 8
        upper = stats.norm.logcdf(size / 2 - epsilon / size)
        return np.exp(upper) - np.exp(epsilon + stats.norm.logcdf(-size / 2 - epsilon / size))

    exact: Any = optimize.brentq(lambda epsilon: delta(epsilon) - 1e-5, 1.0, 2 * size**2)
    assert exact <= cost < 1.001 * exact


def test_seed_that_is_on_record_takes_the_guarantee():
    report = _mechanism(seed=3).report(10)
    assert report["secret"] is False
    assert "nothing is guaranteed" in in_words(report)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("dp_sgd", "needs delta"),
        ("dp_sgd(delta=1e-5)", "either `noise` or `epsilon`"),
        ("dp_sgd(delta=1e-5, noise=1.0, epsilon=3.0)", "either `noise` or `epsilon`"),
        ("dp_sgd(delta=0.0, noise=1.0)", "`delta` must be above 0 and below 1"),
        ("dp_sgd(delta=1e-5, noise=-1.0)", "`noise` must be at least 0"),
        ("dp_sgd(delta=1e-5, epsilon=0)", "`epsilon` must be positive"),
        ("dp_sgd(delta=1e-5, epsilon=1001.0)", "`epsilon` must be at most 1000.*1001.0"),
        ("dp_sgd(delta=1e-5, epsilon=1e400)", "`epsilon` must be positive.*inf"),
        ("dp_sgd(delta=1e-5, noise=1.0, clip=1e400)", "`clip` must be positive.*inf"),
        ("dp_sgd(delta=1e-5, noise=1.0, clip=0)", "`clip` must be positive"),
        ("dp_sgd(delta=1e-5, noise=1.0, accountant='gdp')", "`accountant` must be one of pld, rdp"),
        ("dp_sgd(delta=1e-5, noise=1.0, seed=-1)", "`seed` must be an integer of at least 0"),
        ("dp_sgd(delta=1e-5, noise=1.0, public_validation=1)", "`public_validation` must be True"),
    ],
)
def test_bad_arguments_are_refused_by_name(spec, reason):
    with pytest.raises(PartError, match=reason):
        catalog.build("private", spec)
