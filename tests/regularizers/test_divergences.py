"""Test R-Drop, the confidence penalty and their divergence against NumPy."""

import keras
import numpy as np
import pytest

from ftkeras.regularizers import Step
from ftkeras.regularizers.confidence_penalty import ConfidencePenalty
from ftkeras.regularizers.r_drop import RDrop
from ftkeras.support.divergence import (
    entropy,
    entropy_of_labels,
    symmetric_divergence,
    symmetric_divergence_of_labels,
)
from tests.regularizers import tiny

LOGITS = np.random.default_rng(1).normal(size=(4, 3))
OTHERS = np.random.default_rng(2).normal(size=(4, 3))


def _step(**fields) -> Step:
    given = {"logits": LOGITS, "mean": np.mean, **fields}
    own = {"divergence": symmetric_divergence, "entropy": entropy}
    return Step(**{**dict.fromkeys(Step.__dataclass_fields__), **own, **given})


def test_divergence_is_the_sum_of_both_kl():
    expected = tiny.divergences(LOGITS, OTHERS)
    np.testing.assert_allclose(symmetric_divergence(LOGITS, OTHERS), expected, rtol=1e-6)


def test_divergence_and_entropy_of_labels_are_those_of_two_classes():
    pairs, others = (np.stack([x, np.zeros_like(x)], axis=-1) for x in (LOGITS, OTHERS))
    expected = symmetric_divergence(pairs, others).numpy().mean(axis=-1)
    found = symmetric_divergence_of_labels(LOGITS, OTHERS)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    expected = entropy(pairs).numpy().mean(axis=-1)
    np.testing.assert_allclose(entropy_of_labels(LOGITS), expected, rtol=1e-6)


def test_divergence_of_nearly_equal_logits_is_exact_in_float32():
    near = LOGITS.astype("float32")
    others = near + np.float32(1e-4) * OTHERS.astype("float32")
    np.testing.assert_allclose(
        symmetric_divergence(near, others), tiny.divergences(near, others), rtol=1e-2
    )


def test_divergence_of_confident_logits_is_finite():
    confident, wrong = (
        np.array([[200.0, -200.0]], "float32"),
        np.array([[-200.0, 200.0]], "float32"),
    )
    assert float(symmetric_divergence(confident, wrong)[0]) == pytest.approx(800)


def test_half_precision_logits_are_compared_in_float32():
    half = [logits.astype("float16") for logits in (LOGITS, OTHERS)]
    assert keras.backend.standardize_dtype(symmetric_divergence(*half).dtype) == "float32"


def test_r_drop_adds_the_second_loss_and_the_weighted_divergence():
    step = _step(forward=lambda: OTHERS, loss_of=tiny.cross_entropy)
    expected = tiny.cross_entropy(OTHERS) + 0.7 / 2 * tiny.divergence(LOGITS, OTHERS)
    assert float(RDrop(alpha=0.7)(step)) == pytest.approx(expected)


@pytest.mark.usefixtures("float64")
def test_r_drop_without_dropout_doubles_the_loss_and_its_gradient():
    plain, model = tiny.regulated(), tiny.regulated(RDrop(alpha=3.0))
    assert float(tiny.training_loss(model)) == pytest.approx(2 * float(tiny.training_loss(plain)))
    expected = tiny.gradients(plain, lambda: tiny.training_loss(plain))
    found = tiny.gradients(model, lambda: tiny.training_loss(model))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, 2 * other, rtol=1e-6, atol=1e-12)


def test_r_drop_compares_passes_of_different_dropout():
    model = tiny.regulated(RDrop(alpha=1.0), head_dropout=0.5)
    model.head.seed_generator.state.assign([7, 0])
    first, second = (np.array(model(tiny.INPUTS, training=True)) for _ in range(2))
    model.head.seed_generator.state.assign([7, 0])
    both = tiny.cross_entropy(first) + tiny.cross_entropy(second)
    expected = both + tiny.divergence(first, second) / 2
    assert np.abs(first - second).max() > 0.1
    assert float(tiny.training_loss(model)) == pytest.approx(expected, rel=1e-5)


def test_confidence_penalty_is_minus_the_entropy():
    p = tiny.softmax(LOGITS)
    entropy = -np.mean((p * np.log(p)).sum(axis=-1))
    assert float(ConfidencePenalty(strength=0.3)(_step())) == pytest.approx(-0.3 * entropy)


def test_confidence_penalty_of_confident_logits_is_zero():
    step = _step(logits=np.array([[500.0, -500.0]], "float32"))
    assert float(ConfidencePenalty(strength=1.0)(step)) == 0


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("part", [ConfidencePenalty(strength=0.5), RDrop(alpha=0.5)])
def test_gradient_equals_finite_differences(part):
    model = tiny.regulated(part)
    slope, direction = tiny.slope(model, lambda: tiny.training_loss(model))
    parts = tiny.gradients(model, lambda: tiny.training_loss(model))
    assert tiny.along(parts, direction) == pytest.approx(slope, rel=1e-6)
