"""Properties of every schedule, for arguments that hypothesis chooses."""

import inspect

import hypothesis
import hypothesis.strategies as st
import keras
import numpy as np
import pytest

from ftkeras import catalog
from ftkeras.schedules import Warmup
from ftkeras.schedules.cosine import Cosine
from ftkeras.schedules.exponential import Exponential
from ftkeras.schedules.one_cycle import OneCycle
from ftkeras.schedules.polynomial import Polynomial
from ftkeras.schedules.slanted_triangular import SlantedTriangular
from ftkeras.schedules.step import Step
from ftkeras.schedules.warmup_stable_decay import WarmupStableDecay
from tests.matrix import examples

peaks = st.floats(1e-6, 1.0)
totals = st.integers(1, 10**6)
shares = st.floats(0.01, 0.99)
ends = st.floats(0.0, 1.0)  # of the peak


def _keys(name: str):
    """Return a strategy for the arguments of a schedule, with `end` as a share of the peak."""
    return st.fixed_dictionaries(
        {
            "constant": {},
            "linear": {"end": ends},
            "inverse_sqrt": {"offset": st.floats(0.5, 1e4)},
            "polynomial": {"power": st.floats(0.1, 5), "end": ends},
            "cosine": {"restart_decay": shares, "end": ends},
            "exponential": {"factor": shares, "every": shares},
            "step": {"factor": shares, "every": shares},
            "slanted_triangular": {"cut": shares, "ratio": st.floats(1, 100)},
            "one_cycle": {
                "rise": st.floats(0.01, 0.5),
                "ratio": st.floats(1, 100),
                "end_ratio": st.floats(1, 1e4),
            },
            "warmup_stable_decay": {
                "decay": shares,
                "shape": st.sampled_from(["linear", "sqrt"]),
                "end": ends,
            },
            "reduce_on_plateau": {"factor": shares, "end": ends},
        }[name]
    )


def _last(schedule) -> float | None:
    """Return the documented learning rate from the end of the run on; None if there is none."""
    match schedule:
        case SlantedTriangular():
            return schedule.peak / schedule.ratio
        case OneCycle():
            return schedule.peak / schedule.ratio / schedule.end_ratio
        case Polynomial() | Cosine() | WarmupStableDecay():
            return schedule.end
    return schedule.end if type(schedule).__name__ == "Linear" else None


@pytest.mark.parametrize("name", catalog.names("schedule"))
@hypothesis.given(data=st.data())
@examples(25)
def test_rate_stays_between_zero_and_peak_and_ends_where_documented(name, data):
    peak, total = data.draw(peaks), data.draw(totals)
    keys = data.draw(_keys(name))
    if "end" in keys:
        keys["end"] *= peak
    if name == "cosine":
        keys["cycles"] = data.draw(st.integers(1, min(total, 20)))
    wanted = inspect.signature(catalog.find("schedule", name).__init__).parameters
    known = {"peak": peak, "total_steps": total}
    schedule = catalog.find("schedule", name)(**keys, **{k: known[k] for k in known if k in wanted})
    steps = [0, total - 1, total, total + 1, 3 * total, data.draw(st.integers(0, total))]
    rates = np.array([float(schedule(step)) for step in steps])
    assert np.all(rates >= 0)
    assert np.all(rates <= peak * (1 + 1e-6))
    if _last(schedule) is not None:
        np.testing.assert_allclose(rates[2:5], _last(schedule), rtol=1e-5, atol=1e-6 * peak)


@hypothesis.given(total=st.integers(2, 10**6), cycles=st.integers(2, 12), decay=st.floats(0.1, 1.0))
@examples(100)
def test_cosine_restarts_on_the_very_update(total, cycles, decay):
    cycles = min(cycles, total)
    schedule = Cosine(peak=1.0, total_steps=total, cycles=cycles, restart_decay=decay)
    for k in range(1, cycles):
        first = -(-k * total // cycles)
        # The first update of a cycle is at most one update into it.
        least = decay**k * (1 + np.cos(np.pi * min(1, cycles / total))) / 2
        assert float(schedule(first)) >= least - 1e-4
        assert float(schedule(first)) <= decay**k * (1 + 1e-5)


def test_step_drops_on_the_very_update():
    steps = np.arange(1000)
    for every in range(1, 200):  # 41 * (1 / 41) is below 1 in float32
        drops = steps // every
        rates = Step(peak=1.0, total_steps=1000, every=every, factor=0.99)(steps)
        np.testing.assert_array_equal(np.log(rates) / np.log(0.99) > drops - 0.5, True)
        np.testing.assert_array_equal(np.log(rates) / np.log(0.99) < drops + 0.5, True)


@pytest.mark.parametrize("total", [1, 2, 3])
@pytest.mark.parametrize("name", catalog.names("schedule"))
def test_run_of_a_few_updates_has_a_rate_at_each(name, total):
    schedule = catalog.build("schedule", name, peak=1.0, total_steps=total)
    rates = [float(schedule(step)) for step in range(total + 1)]
    assert np.all(np.isfinite(rates))
    assert rates[0] > 0


KERAS = keras.optimizers.schedules
PAIRS = [
    (Polynomial(peak=0.5, total_steps=90), KERAS.PolynomialDecay(0.5, 90, 0.0)),
    (
        Polynomial(peak=0.5, total_steps=90, power=2.5, end=0.1),
        KERAS.PolynomialDecay(0.5, 90, 0.1, power=2.5),
    ),
    (Cosine(peak=0.5, total_steps=90), KERAS.CosineDecay(0.5, 90)),
    (Cosine(peak=0.5, total_steps=90, end=0.05), KERAS.CosineDecay(0.5, 90, alpha=0.1)),
    (
        Warmup(after=Cosine(peak=0.5, total_steps=90), peak=0.5, steps=10),
        KERAS.CosineDecay(0.0, 90, warmup_target=0.5, warmup_steps=10),
    ),
    (
        Cosine(peak=0.5, total_steps=96, cycles=3),
        KERAS.CosineDecayRestarts(0.5, 32, t_mul=1.0),
    ),
    (
        Cosine(peak=0.5, total_steps=96, cycles=3, restart_decay=0.7),
        KERAS.CosineDecayRestarts(0.5, 32, t_mul=1.0, m_mul=0.7),
    ),
    (
        Exponential(peak=0.5, total_steps=90, factor=0.3, every=40),
        KERAS.ExponentialDecay(0.5, 40, 0.3),
    ),
    (
        Step(peak=0.5, total_steps=90, factor=0.3, every=40),
        KERAS.ExponentialDecay(0.5, 40, 0.3, staircase=True),
    ),
    (
        # Keras drops one update later: it tests `step <= boundary`.
        Step(peak=0.5, total_steps=90, factor=0.5, boundaries=(31, 61)),
        KERAS.PiecewiseConstantDecay([30, 60], [0.5, 0.25, 0.125]),
    ),
]


@pytest.mark.parametrize(("ours", "keras_own"), PAIRS)
def test_schedule_equals_keras_own(ours, keras_own):
    steps = np.arange(90, dtype=np.float32)
    rates = [[float(schedule(step)) for step in steps] for schedule in (ours, keras_own)]
    np.testing.assert_allclose(*rates, rtol=1e-4, atol=1e-6)
