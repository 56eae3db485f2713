import contracts
import numpy as np
import pytest
import tensorflow as tf

from ftkeras import catalog
from ftkeras.schedules._warmup import Warmup
from ftkeras.schedules.inverse_sqrt import InverseSqrt
from ftkeras.schedules.linear import Linear

PEAK, TOTAL, STEPS = 0.5, 100, (0, 1, 37, 50, 99, 100, 101, 1000)

# Name, keys, and the closed form in NumPy; every schedule in the folder must have one.
CLOSED_FORMS = [
    ("constant", {}, lambda t: np.full_like(t, PEAK)),
    ("linear", {}, lambda t: PEAK * np.clip(1 - t / TOTAL, 0, 1)),
    ("linear", {"end": 0.1}, lambda t: np.maximum(0.1, PEAK - (PEAK - 0.1) * t / TOTAL)),
    ("inverse_sqrt", {}, lambda t: PEAK / np.sqrt(t + 1)),
    ("inverse_sqrt", {"offset": 10}, lambda t: PEAK * np.sqrt(10 / (t + 10))),
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


def test_vaswanis_schedule_is_inverse_sqrt_with_offset_warmup():
    schedule = Warmup(after=InverseSqrt(peak=PEAK, offset=40), peak=PEAK, steps=40)
    steps = np.array([1, 20, 40, 41, 160, 4000], float)
    vaswani = PEAK * np.minimum(steps / 40, np.sqrt(40 / steps))
    np.testing.assert_allclose([float(schedule(s)) for s in steps], vaswani, rtol=1e-6)


def test_warmup_survives_its_config():
    schedule = Warmup(after=Linear(peak=1.0, total_steps=5), peak=1.0, steps=3)
    again = contracts.round_trip(schedule)
    assert [float(again(t)) for t in range(9)] == [float(schedule(t)) for t in range(9)]
