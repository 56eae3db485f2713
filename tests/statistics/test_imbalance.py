import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from ftkeras.errors import UserError
from ftkeras.statistics import imbalance

NAMES = ("bad", "fair", "good")
LABELS = np.array([0] * 70 + [1] * 25 + [2] * 5)


def test_balanced_weights_are_scikit_learns():
    expected = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    np.testing.assert_allclose(imbalance.class_weights("balanced", LABELS, NAMES), expected)


def test_class_without_examples_does_not_change_the_balanced_weights_of_others():
    weights = imbalance.class_weights("balanced", np.array([0, 0, 0, 2]), NAMES)
    np.testing.assert_allclose(weights[[0, 2]], [4 / 6, 2])
    assert weights.dtype == np.float32
    assert np.isfinite(weights).all()


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_balanced_weights_have_mean_one_and_equal_totals(labels):
    labels = np.array(labels)
    weights = imbalance.class_weights("balanced", labels, ("a", "b", "c", "d"))[labels]
    assert weights.mean() == pytest.approx(1)
    totals = [weights[labels == label].sum() for label in np.unique(labels)]
    np.testing.assert_allclose(totals, totals[0], rtol=1e-5)


def test_given_weights_are_used_and_others_are_one():
    weights = imbalance.class_weights("{'good': 4, 'bad': 0.5}", LABELS, NAMES)
    assert weights.tolist() == [0.5, 1.0, 4.0]


def test_integer_labels_can_be_named_as_integers():
    assert imbalance.class_weights("{1: 3}", LABELS, ("0", "1", "2")).tolist() == [1, 3, 1]


@pytest.mark.parametrize(
    "spec", ["even", "{'good': -1}", "{'good': 'x'}", "3", "{'great': 2}", "{{'bad': 2}}"]
)
def test_invalid_weights_are_refused(spec):
    with pytest.raises(UserError, match="`class_weights`"):
        imbalance.class_weights(spec, LABELS, NAMES)


@pytest.mark.parametrize("spec", ["{'bad': 1, 'bad': 5}", "{'1': 1, 1: 5}"])
def test_label_with_two_weights_is_refused(spec):
    with pytest.raises(UserError, match="`class_weights` must name each label once"):
        imbalance.class_weights(spec, LABELS, ("bad", "1"))


@pytest.mark.parametrize("weight", ["1e39", "1" + 400 * "0"], ids=["float", "integer"])
def test_weights_that_float32_cannot_hold_are_refused(weight):
    with pytest.raises(UserError, match=r"must be at most 3\.4e\+38, .* Received: 1.{,60}\.$"):
        imbalance.class_weights(f"{{'bad': {weight}}}", LABELS, NAMES)


@pytest.mark.parametrize(
    "spec", ["{}", "{'bad': 0, 'fair': 0, 'good': 0}", "{'bad': 1e-60, 'fair': 0, 'good': 0}"]
)
def test_weights_that_leave_no_loss_are_refused(spec):
    with pytest.raises(UserError, match="must name a label, and leave one a weight above 0"):
        imbalance.class_weights(spec, LABELS, NAMES)
    assert imbalance.class_weights("{'bad': 0, 'good': 0}", LABELS, NAMES).tolist() == [0, 1, 0]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(0, 9))
def test_oversampled_classes_are_as_frequent(labels, seed):
    labels = np.array(labels)
    positions = imbalance.oversample(labels, seed=seed)
    _, counts = np.unique(labels[positions], return_counts=True)
    assert set(counts) == {np.bincount(labels).max()}
    _, times = np.unique(positions, return_counts=True)
    assert len(times) == len(labels)
    for label in np.unique(labels):
        of_class = times[labels == label]
        assert of_class.max() - of_class.min() <= 1


def test_only_rare_classes_are_reported():
    (warning,) = imbalance.rare_class_warnings(LABELS, NAMES)
    assert "5 of 100 examples are 'good'" in warning
    assert imbalance.rare_class_warnings(np.array([0, 1, 2]), NAMES) == []
    assert imbalance.rare_class_warnings(np.array([0] * 19 + [1]), ("a", "b", "c")) == [
        "only 1 of 20 examples is 'b'"
    ]


def test_positive_weights_balance_each_label():
    targets = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]])
    weights = imbalance.positive_weights("balanced", targets, NAMES)
    np.testing.assert_allclose(weights, [1 / 3, 3, 1])
    given = imbalance.positive_weights("{'good': 4}", targets, NAMES)
    assert given.tolist() == [1, 1, 4]


def test_rare_labels_are_one_line():
    targets = np.zeros((100, 3), int)
    targets[:90, 0] = targets[:3, 1] = 1
    (line,) = imbalance.rare_label_warnings(targets, NAMES)
    assert line == "labels with few of the 100 examples: 'fair' 3"
