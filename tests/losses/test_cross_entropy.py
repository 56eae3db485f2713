"""Test cross-entropy beside its formula in NumPy."""

import numpy as np
import pytest

from ftkeras.losses.cross_entropy import CrossEntropy

LABELS = np.array([0, 2, 1, 2])
LOGITS = np.random.default_rng(0).normal(size=(4, 3)).astype("float32") * 3


def _reference(smoothing: float) -> float:
    exponentials = np.exp(LOGITS.astype(float))
    log_p = np.log(exponentials / exponentials.sum(axis=1, keepdims=True))
    target = (1 - smoothing) * np.eye(3)[LABELS] + smoothing / 3
    return -(target * log_p).sum(axis=1).mean()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_equals_its_formula(smoothing):
    loss = CrossEntropy(label_smoothing=smoothing)(LABELS, LOGITS)
    assert float(loss) == pytest.approx(_reference(smoothing), rel=1e-5)


def test_extreme_logits_stay_finite():
    loss = CrossEntropy()(np.array([1]), np.array([[1e4, -1e4]], "float32"))
    assert float(loss) == pytest.approx(2e4)


@pytest.mark.parametrize("batch", [3, 4])
def test_one_hot_labels_are_refused(batch):
    one_hot = np.eye(3)[LABELS[:batch]]
    with pytest.raises(ValueError, match=r"one-hot vectors, take argmax.*shape \(., 3\)"):
        CrossEntropy()(one_hot, LOGITS[:batch])
