"""Test doubtful labels against cleanlab (make_confident_learning.py)."""

import numpy as np
import pytest

from ftkeras.statistics.confident_learning import doubt
from tests.statistics import make_confident_learning


@pytest.fixture(scope="module")
def reference():
    with np.load(make_confident_learning.HERE / "confident_learning.npz") as arrays:
        return dict(arrays)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_doubts_are_those_of_cleanlab(reference, classes):
    labels, probabilities, thresholds, margins, issues = (
        reference[f"{name}_{classes}"]
        for name in ("labels", "probabilities", "thresholds", "margins", "issues")
    )
    found = doubt(labels, probabilities)
    assert 20 < len(issues) < 150
    np.testing.assert_allclose(found.thresholds, thresholds, rtol=1e-6)
    assert found.ranked().tolist() == issues.tolist()
    # Cleanlab's margin is (p - p' + 1) / 2.
    np.testing.assert_allclose((found.margin + 1) / 2, margins, atol=1e-6)


def test_the_suggestion_is_the_most_probable_class_above_its_threshold():
    """The third example is surely of class 1, which is not its most probable one."""
    probabilities = np.array(
        [[0.90, 0.05, 0.05], [0.10, 0.40, 0.50], [0.45, 0.42, 0.13], [0.05, 0.25, 0.70]]
    )
    found = doubt(np.array([0, 1, 2, 2]), probabilities)
    np.testing.assert_allclose(found.thresholds, [0.9, 0.4, (0.13 + 0.70) / 2])
    assert found.suggested.tolist() == [0, 2, 1, 2]
    assert found.ranked().tolist() == [2, 1]


def test_labels_that_all_models_agree_with_are_not_doubted():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    assert not doubt(np.array([0, 0, 1]), probabilities).is_doubtful.any()


def test_a_class_without_examples_is_never_suggested():
    probabilities = np.array([[0.2, 0.1, 0.7], [0.4, 0.5, 0.1], [0.3, 0.6, 0.1]])
    found = doubt(np.array([0, 1, 0]), probabilities)
    assert np.isinf(found.thresholds[2])
    assert found.suggested.tolist() == [0, 1, 1]
