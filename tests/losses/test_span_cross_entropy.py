"""The loss of spans: its formula, and padding that counts for nothing."""

import numpy as np
import pytest

from ftkeras.losses.span_cross_entropy import SpanCrossEntropy
from ftkeras.support.protocols import Loss
from tests.losses import references

RNG = np.random.default_rng(4)
LOGITS = RNG.normal(size=(5, 7, 2)).astype("float32") * 3
SPANS = np.sort(RNG.integers(7, size=(5, 2)), axis=1)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_loss_equals_its_formula_and_ignores_padding(smoothing):
    loss = SpanCrossEntropy(label_smoothing=smoothing)
    assert isinstance(loss, Loss)
    expected = references.span_cross_entropy(SPANS, LOGITS.astype(float), label_smoothing=smoothing)
    np.testing.assert_allclose(loss.call(SPANS, LOGITS), expected, rtol=2e-5)
    padded = np.pad(LOGITS, [(0, 0), (0, 3), (0, 0)], constant_values=-1e4)
    np.testing.assert_allclose(loss.call(SPANS, padded), expected, rtol=2e-5)
    weights = np.array([0, 1, 2, 0.5, 1], "float32")
    weighted = float(loss(SPANS, LOGITS, sample_weight=weights))
    assert weighted == pytest.approx((expected * weights).mean(), rel=1e-5)


@pytest.mark.parametrize("wrong", [[1, 7], [-1, -1]])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_a_span_outside_the_text_is_noticed(wrong, smoothing):
    loss = SpanCrossEntropy(label_smoothing=smoothing)
    spans = np.concatenate([SPANS[:4], [wrong]])
    np.testing.assert_array_equal(np.isnan(loss.call(spans, LOGITS)), [0, 0, 0, 0, 1])
    weights = np.array([1, 1, 1, 1, 0], "float32")
    expected = float(loss(SPANS, LOGITS, sample_weight=weights))
    assert float(loss(spans, LOGITS, sample_weight=weights)) == pytest.approx(expected)
