from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment import optimization
from ftkeras.schedules import Growth, Warmup
from ftkeras.schedules.cosine import Cosine
from ftkeras.schedules.linear import Linear
from ftkeras.schedules.one_cycle import OneCycle
from ftkeras.schedules.step import Step
from ftkeras.schedules.warmup_stable_decay import WarmupStableDecay
from tests import contracts

PEAK, TOTAL = 0.5, 100
STEPS = (0, 1, 9, 10, 11, 30, 33, 34, 37, 45, 50, 60, 67, 90, 95, 99, 100, 101, 1000)


def _cosine(t, cycles, decay, end):
    cycle = np.minimum(t * cycles // TOTAL, cycles - 1)
    gone = np.minimum(t * cycles / TOTAL - cycle, 1)
    return end + (PEAK - end) * decay**cycle * (1 + np.cos(np.pi * gone)) / 2


def _slanted_triangular(t, cut, ratio):
    """Howard and Ruder, 2018, equation 3, as it stands there."""
    top = np.floor(TOTAL * cut)
    p = np.where(t < top, t / top, 1 - (t - top) / (top * (1 / cut - 1)))
    return PEAK * (1 + np.maximum(p, 0) * (ratio - 1)) / ratio


def _one_cycle(t, rise, ratio, end_ratio):
    start = PEAK / ratio
    points = [0, rise * TOTAL, 2 * rise * TOTAL, TOTAL]
    return np.interp(t, points, [start, PEAK, start, start / end_ratio])


def _decay(t, steps, end, shape):
    return end + (PEAK - end) * shape(np.clip((t - TOTAL + steps) / steps, 0, 1))


# Name, keys, and the closed form in NumPy; every schedule in the folder must have one.
CLOSED_FORMS = [
    ("constant", {}, lambda t: np.full_like(t, PEAK)),
    ("linear", {}, lambda t: PEAK * np.clip(1 - t / TOTAL, 0, 1)),
    ("linear", {"end": 0.1}, lambda t: np.maximum(0.1, PEAK - (PEAK - 0.1) * t / TOTAL)),
    ("inverse_sqrt", {}, lambda t: PEAK / np.sqrt(t + 1)),
    ("inverse_sqrt", {"offset": 10}, lambda t: PEAK * np.sqrt(10 / (t + 10))),
    ("polynomial", {}, lambda t: PEAK * np.clip(1 - t / TOTAL, 0, 1)),
    (
        "polynomial",
        {"power": 0.5, "end": 0.1},
        lambda t: 0.1 + 0.4 * np.clip(1 - t / TOTAL, 0, 1) ** 0.5,
    ),
    ("cosine", {}, lambda t: _cosine(t, 1, 1.0, 0.0)),
    (
        "cosine",
        {"cycles": 3, "restart_decay": 0.5, "end": 0.1},
        lambda t: _cosine(t, 3, 0.5, 0.1),
    ),
    ("exponential", {}, lambda t: PEAK * 0.01 ** (t / TOTAL)),
    ("exponential", {"factor": 0.5, "every": 20}, lambda t: PEAK * 0.5 ** (t / 20)),
    ("step", {}, lambda t: PEAK * 0.1 ** (t // 30)),
    ("step", {"every": 10, "factor": 0.9}, lambda t: PEAK * 0.9 ** (t // 10)),
    (
        "step",
        {"boundaries": (0.3, 60, 0.9), "factor": 0.5},
        lambda t: PEAK * 0.5 ** np.digitize(t, [30, 60, 90]),
    ),
    ("slanted_triangular", {}, lambda t: _slanted_triangular(t, 0.1, 32)),
    ("slanted_triangular", {"cut": 0.6, "ratio": 4}, lambda t: _slanted_triangular(t, 0.6, 4)),
    ("one_cycle", {}, lambda t: _one_cycle(t, 0.45, 10, 1000)),
    (
        "one_cycle",
        {"rise": 0.3, "ratio": 4, "end_ratio": 2},
        lambda t: _one_cycle(t, 0.3, 4, 2),
    ),
    ("warmup_stable_decay", {}, lambda t: _decay(t, 10, 0.0, lambda u: 1 - u)),
    (
        "warmup_stable_decay",
        {"decay": 63, "end": 0.2, "shape": "sqrt"},
        lambda t: _decay(t, 63, 0.2, lambda u: 1 - np.sqrt(u)),
    ),
    ("reduce_on_plateau", {}, lambda t: np.full_like(t, PEAK)),
]


@pytest.mark.parametrize(("name", "keys", "form"), CLOSED_FORMS)
@pytest.mark.parametrize("compiled", [False, True])
def test_schedule_equals_its_closed_form(name, keys, form, compiled):
    schedule = contracts.make("schedule", name, **keys)
    rate = tf.function(schedule) if compiled else schedule
    rates = [float(rate(tf.constant(step))) for step in STEPS]
    np.testing.assert_allclose(rates, form(np.array(STEPS, float)), rtol=1e-5, atol=1e-7)


def test_every_schedule_has_a_closed_form():
    assert {name for name, *_ in CLOSED_FORMS} == set(catalog.names("schedule"))


@pytest.mark.parametrize(("name", "keys", "form"), CLOSED_FORMS)
def test_warmup_rises_linearly_and_joins(name, keys, form):
    after = contracts.make("schedule", name, **keys)
    schedule = Warmup(after=after, peak=PEAK, steps=20)
    steps = np.array([0, 1, 10, 19, 20, 21, 70, 119, 120, 500], float)
    expected = np.where(steps < 20, PEAK * steps / 20, form(np.maximum(steps - 20, 0)))
    rates = [float(schedule(step)) for step in steps]
    np.testing.assert_allclose(rates, expected, rtol=1e-5, atol=1e-7)


def test_inverse_sqrt_without_warmup_is_the_plain_form():
    config = Config(schedule="inverse_sqrt", learning_rate=PEAK, warmup="0")
    schedule = optimization.schedule(config, total_steps=5000)
    n = np.array([1, 2, 40, 5000])
    np.testing.assert_allclose([float(schedule(t)) for t in n - 1], PEAK / np.sqrt(n), rtol=1e-6)


@pytest.mark.parametrize("offset", ["", "(offset=40)"])
def test_inverse_sqrt_after_warmup_is_vaswanis(offset):
    config = Config(schedule=f"inverse_sqrt{offset}", learning_rate=PEAK, warmup="40")
    schedule = optimization.schedule(config, total_steps=5000)
    steps = np.array([1, 20, 40, 41, 160, 4000], float)
    vaswani = PEAK * np.minimum(steps / 40, np.sqrt(40 / steps))
    np.testing.assert_allclose([float(schedule(s)) for s in steps], vaswani, rtol=1e-6)


def test_warmup_survives_its_config():
    schedule = Warmup(after=Linear(peak=1.0, total_steps=5), peak=1.0, steps=3)
    again = contracts.round_trip(schedule)
    assert [float(again(t)) for t in range(9)] == [float(schedule(t)) for t in range(9)]


@pytest.mark.parametrize(("name", "keys", "form"), CLOSED_FORMS)
def test_schedule_gives_a_float32_scalar(name, keys, form):
    rate = contracts.make("schedule", name, **keys)(tf.constant(3, tf.int64))
    assert (rate.dtype, rate.shape) == (tf.float32, ())


def test_shares_that_are_one_update_of_a_short_run_drop_together():
    schedule = Step(peak=PEAK, total_steps=5, boundaries=(0.5, 0.6, 4), factor=0.5)
    rates = [float(schedule(step)) for step in range(5)]
    assert rates == [PEAK, PEAK, PEAK / 2, PEAK / 4, PEAK / 8]
    schedule = Step(peak=PEAK, total_steps=5, boundaries=(0.6, 0.65), factor=0.5)
    assert [float(schedule(step)) for step in (2, 3)] == [PEAK, PEAK / 4]


@pytest.mark.parametrize(
    ("name", "keys", "named"),
    [
        ("inverse_sqrt", {"offset": 0}, "`offset`.*0"),
        ("linear", {"end": 0.6}, "`end`.*0.5.*0.6"),
        ("polynomial", {"power": 0}, "`power`.*0"),
        ("cosine", {"cycles": 1.5}, "`cycles`.*1.5"),
        ("cosine", {"cycles": 101}, "`cycles`.*100.*101"),
        ("cosine", {"restart_decay": 1.1}, "`restart_decay`.*1.1"),
        ("exponential", {"factor": 1}, "`factor`.*1"),
        ("exponential", {"every": 2.0}, "`every`.*2.0"),
        ("step", {"every": 101}, "`every`.*100.*101"),
        ("step", {"every": 0.2, "boundaries": (0.5,)}, "`every` and `boundaries`"),
        ("step", {"boundaries": (0.6, 0.5)}, "`boundaries`.*rise"),
        ("step", {"boundaries": (0.5, 0.499)}, "`boundaries`.*rise"),
        ("step", {"boundaries": (60, 0.5)}, "`boundaries`.*rise"),
        ("step", {"boundaries": (50, 50)}, r"`boundaries`.*rise.*\(50, 50\)"),
        ("step", {"boundaries": 0.5}, "`boundaries`.*0.5"),
        ("step", {"boundaries": ()}, "`boundaries`"),
        ("step", {"boundaries": (50, 200)}, "`boundaries`.*200"),
        ("slanted_triangular", {"cut": 1.0}, "`cut`.*1.0"),
        ("slanted_triangular", {"ratio": 0.5}, "`ratio`.*0.5"),
        ("one_cycle", {"rise": 0.6}, "`rise`.*0.6"),
        ("warmup_stable_decay", {"decay": 1.5}, "`decay`.*1.5"),
        ("warmup_stable_decay", {"decay": 101}, "`decay`.*100.*101"),
        ("warmup_stable_decay", {"shape": "cubic"}, "`shape`.*cubic"),
        ("reduce_on_plateau", {"patience": 0}, "`patience`.*0"),
        ("reduce_on_plateau", {"by": "f1"}, "`by`.*f1"),
        ("reduce_on_plateau", {"end": 0.6}, "`end`.*0.6"),
    ],
)
def test_value_out_of_bounds_is_named(name, keys, named):
    with pytest.raises(UserError, match=f"schedule={name}.*{named}") as caught:
        contracts.make("schedule", name, **keys)
    assert "\n" not in str(caught.value)


def test_integers_of_numpy_are_integers():
    steps = np.arange(TOTAL)
    cases: Any = [(Step, "every", np.int64(30)), (Cosine, "cycles", np.int64(3))]
    for cls, key, value in cases:
        found, expected = (cls(PEAK, TOTAL, **{key: v}) for v in (value, int(value)))
        np.testing.assert_array_equal(found(steps[40]), expected(steps[40]))
        assert contracts.round_trip(cls(PEAK, TOTAL, **{key: value})).get_config()[key] == value


@pytest.mark.parametrize(
    ("cls", "keys", "named"),
    [
        (Step, {"every": True}, "`every` must be a number of updates.*True"),
        (Cosine, {"cycles": True}, "`cycles` must be an integer.*True"),
        (WarmupStableDecay, {"shape": ["sqrt"]}, r"`shape` must be one of.*\['sqrt'\]"),
        (OneCycle, {"ratio": float("inf")}, "`ratio` must be positive and finite.*inf"),
    ],
)
def test_value_of_another_type_is_named(cls, keys, named):
    with pytest.raises(ValueError, match=named):
        cls(PEAK, TOTAL, **keys)


def test_warmup_takes_a_number_of_updates_not_a_share():
    share: Any = 0.1
    with pytest.raises(ValueError, match="`steps` must be an integer of at least 0.*0.1"):
        Warmup(Linear(PEAK, TOTAL), steps=share)


def test_range_test_rises_evenly_in_the_logarithm():
    growth = Growth(lowest=1e-7, highest=1.0, steps=71)
    rates = [float(growth(t)) for t in (0, 10, 35, 70)]
    np.testing.assert_allclose(rates, [1e-7, 1e-6, 10**-3.5, 1.0], rtol=1e-4)
