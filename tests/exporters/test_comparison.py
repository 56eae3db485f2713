"""Comparison of an export's predictions with the run's, and its bounds."""

import pathlib
from typing import Any

import numpy as np
import pytest

from ftkeras.errors import UserError
from ftkeras.exporters._comparison import Bounds
from ftkeras.problems import Comparison
from ftkeras.problems.classification import Classification

LABELS = ("a", "b", "c")
RUN = pathlib.Path("runs/a run")
PROBLEM = Classification(labels=LABELS)


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)


def _samples(logits: np.ndarray) -> list[dict]:
    # A file of the run may keep seven decimals.
    rows = np.round(_softmax(logits), 7).tolist()
    return [{"label": LABELS[int(np.argmax(row))], "probabilities": row} for row in rows]


@pytest.fixture
def logits() -> np.ndarray:
    return np.random.default_rng(0).normal(scale=2, size=(50, 3))


def test_logit_change_is_the_largest_change_over_the_standard_deviation(logits):
    changed = logits.copy()
    changed[7] += (0.3, -0.3, 0.0)
    found = PROBLEM.compare(_samples(logits), _softmax(changed))
    centered = logits - logits.mean(axis=1, keepdims=True)
    assert found.logit_change == pytest.approx(0.3 / centered.std(), rel=1e-3)


def test_shift_of_all_logits_of_a_text_is_no_change(logits):
    shift = np.arange(50)[:, np.newaxis]
    found = PROBLEM.compare(_samples(logits), _softmax(logits + shift))
    assert found.logit_change < 1e-4
    assert found.largest_difference < 1e-6


def test_rounding_is_no_large_change_of_logits_that_hardly_vary(logits):
    flat = 1e-7 * logits
    assert PROBLEM.compare(_samples(flat), _softmax(flat[::-1])).logit_change < 1e-3


def test_logit_change_does_not_depend_on_the_scale_of_the_logits(logits):
    noise = np.random.default_rng(1).normal(scale=0.1, size=logits.shape)
    changes = [
        PROBLEM.compare(_samples(logits * scale), _softmax((logits + noise) * scale)).logit_change
        for scale in (0.1, 1)
    ]
    assert changes[0] == pytest.approx(changes[1], rel=1e-2)


def test_labels_and_accuracy_are_counted(logits):
    samples, probabilities = _samples(logits), _softmax(logits)
    samples[0]["label"] = LABELS[int(probabilities[0].argmin())]
    probabilities[[3, 5]] = np.roll(probabilities[[3, 5]], 1, axis=1)
    found = PROBLEM.compare(samples, probabilities)
    assert (found.samples, found.details["labels_changed"]) == (50, 2)
    assert found.details["accuracy"] == pytest.approx(47 / 50)
    assert found.record()["same_label"] == pytest.approx(48 / 50)


def test_swapped_rows_are_noticed(logits):
    found = PROBLEM.compare(_samples(logits), _softmax(logits)[::-1])
    assert found.logit_change > 1


def test_probability_that_was_rounded_to_zero_is_compared_as_the_smallest():
    logits = np.array([[20.0, 0.0, 0.0], [0.0, 20.0, 0.0]])
    assert PROBLEM.compare(_samples(logits), _softmax(logits)).logit_change < 1e-2


def _found(**values: Any) -> Comparison:
    exact: dict[str, Any] = {"largest_difference": 0.0, "logit_change": 0.0}
    return Comparison(samples=10, changes="3 of 10 labels change", **{**exact, **values})


@pytest.mark.parametrize("value", [0.11, float("nan")])
def test_change_beyond_a_bound_is_refused(value):
    with pytest.raises(UserError, match=r"more than tolerance=0\.1; 3 of 10 labels change"):
        Bounds(tolerance=0.1).check(_found(largest_difference=value), "x", RUN)
    with pytest.raises(UserError, match=r"export=x: logits.* logit_tolerance=0\.1; 3 of 10 labels"):
        Bounds(logit_tolerance=0.1).check(_found(logit_change=value), "x", RUN)


def test_run_of_another_device_is_to_be_measured_here():
    """A GPU rounds more than the CPU, on which no bound would hold."""
    remedy = r"measure it here: python -m ftkeras\.main evaluate '--run_dir=runs/a run'$"
    with pytest.raises(UserError, match=remedy):
        Bounds(tolerance=0.1).check(_found(largest_difference=0.2), "x", RUN)


def test_message_says_what_moves():
    found = _found(logit_change=0.3, moves="scores change by {}")
    assert found.summary() == "3 of 10 labels change, scores change by at most 30 %"
    with pytest.raises(UserError, match=r"^export=x: scores change by 0\.3, more than"):
        Bounds(logit_tolerance=0.1).check(found, "x", RUN)


def test_change_within_the_bounds_passes():
    Bounds(tolerance=0.1, logit_tolerance=0.2).check(
        _found(largest_difference=0.1, logit_change=0.2), "x", RUN
    )
    Bounds().check(_found(largest_difference=1.0, logit_change=9.0), "x", RUN)


@pytest.mark.parametrize(
    ("stored_in", "given", "bounds"),
    [
        ("float32", (None, None), Bounds(1e-5, None)),
        ("int8", (None, None), Bounds(None, 0.25)),
        ("bfloat16", (None, None), Bounds(None, 0.15)),
        ("int8", (0.1, None), Bounds(0.1, 0.25)),
        ("float16", (None, 0.5), Bounds(None, 0.5)),
    ],
)
def test_bounds_depend_on_how_weights_are_stored(stored_in, given, bounds):
    tolerance, logit_tolerance = given
    chosen = Bounds.choose(stored_in, 1e-5, tolerance=tolerance, logit_tolerance=logit_tolerance)
    assert chosen == bounds


@pytest.mark.parametrize(
    "values",
    [
        *({"tolerance": value} for value in (2, -1, "x")),
        *({"logit_tolerance": value} for value in (-1, float("nan"))),
    ],
)
def test_bound_out_of_bounds_is_named(values):
    ((name, value),) = values.items()
    with pytest.raises(ValueError, match=f"`{name}` must.*Received: {value!r}"):
        Bounds(**values)
