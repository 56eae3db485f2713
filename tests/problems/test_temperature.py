"""Calibrated problems: other probabilities, the same answers."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, softmax
from sklearn.metrics import log_loss

from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment import checks
from ftkeras.losses.cross_entropy import CrossEntropy
from ftkeras.problems import recorded
from ftkeras.problems.classification import Classification
from ftkeras.problems.multi_label import MultiLabel

RNG = np.random.default_rng(4)
TRUE = RNG.normal(size=(3_000, 3))
OUTPUTS = (2.5 * TRUE).astype(np.float32)  # more sure than they should be
CLASSES = np.array([RNG.choice(3, p=p) for p in softmax(TRUE, axis=1)])
LABELS = (RNG.random(TRUE.shape) < expit(TRUE)).astype(np.int64)
NAMES = ("joy", "anger", "love")


@pytest.fixture
def classes():
    problem = Classification(labels=NAMES)
    problem.calibrate(CLASSES, OUTPUTS)
    return problem


@pytest.fixture
def labels():
    problem = MultiLabel(labels=NAMES)
    problem.tune(LABELS, OUTPUTS)
    return problem


def test_temperature_undoes_what_makes_the_outputs_too_sure(classes, labels):
    labels.calibrate(LABELS, OUTPUTS)
    assert (classes.temperature, labels.temperature) == pytest.approx((2.5, 2.5), rel=0.1)
    for problem, targets in ((classes, CLASSES), (labels, LABELS)):
        found = problem.calibration(targets, OUTPUTS)
        assert found["after"]["nll"] < found["before"]["nll"]
        assert found["after"]["ece"] < found["before"]["ece"] / 4


def test_labels_stay_and_probabilities_change(classes):
    before = Classification(labels=NAMES).decode(CLASSES, OUTPUTS)
    after = classes.decode(CLASSES, OUTPUTS)
    assert [row["predicted"] for row in after] == [row["predicted"] for row in before]
    expected = softmax(OUTPUTS / classes.temperature, axis=1)
    np.testing.assert_allclose([row["probabilities"] for row in after], expected, atol=1e-6)
    found = classes.metrics(CLASSES, OUTPUTS, CrossEntropy())
    assert found["loss"] == pytest.approx(log_loss(CLASSES, expected), rel=1e-5)
    np.testing.assert_allclose(
        classes.forecasts(after).of_truth.mean(),
        expected[np.arange(3_000), CLASSES].mean(),
        atol=1e-6,
    )


def test_tuned_labels_stay_also_if_calibrated_twice(labels):
    before = labels.decode(LABELS, OUTPUTS)
    for targets in (LABELS, LABELS[::-1]):  # the second time with a very different temperature
        labels.calibrate(targets, OUTPUTS)
        after = labels.decode(LABELS, OUTPUTS)
        assert [row["predicted"] for row in after] == [row["predicted"] for row in before]
    served = labels.served(tf.constant(OUTPUTS[:5]))
    np.testing.assert_allclose(
        served["probabilities"], [r["probabilities"] for r in after[:5]], atol=1e-6
    )


def test_a_threshold_that_was_asked_for_is_one_of_calibrated_probabilities():
    problem = MultiLabel(labels=NAMES, threshold=0.3)
    problem.calibrate(LABELS, OUTPUTS)
    assert problem.thresholds == [0.3, 0.3, 0.3]


def test_state_is_restored_and_the_card_no_longer_warns(classes, labels):
    labels.calibrate(LABELS, OUTPUTS)
    for problem in (classes, labels):
        again = recorded(NAMES, problem.state())
        assert again.temperature == problem.temperature
        assert again.state() == problem.state()
        assert again.caveat is None
    assert Classification(labels=NAMES).state() == {}
    assert Classification(labels=NAMES).caveat == "Its probabilities are not calibrated"


def test_graph_and_hugging_face_classifier_have_the_temperature(classes):
    found = classes.activate(tf.constant(OUTPUTS[:5]))
    np.testing.assert_allclose(found, softmax(OUTPUTS[:5] / classes.temperature, axis=1), atol=1e-6)
    hidden = RNG.normal(size=(5, 4))
    kernel, bias = RNG.normal(size=(4, 3)), RNG.normal(size=3)
    before, (new_kernel, new_bias) = (
        hidden @ kernel + bias,
        classes.huggingface_classifier(kernel, bias),
    )
    np.testing.assert_allclose(hidden @ new_kernel + new_bias, before / classes.temperature)


@pytest.mark.parametrize("task", ["regression", "token_classification", "similarity"])
def test_other_problems_are_refused_by_name(task):
    config = Config(task=f"{task}(train='a.csv')", calibrate=True)
    kind = checks.problem_class(config).kind
    with pytest.raises(
        UserError, match=f"`calibrate` can't be used with a {kind}: only probabilities"
    ):
        checks.check(config)


def test_without_validation_it_is_refused():
    with pytest.raises(UserError, match="`calibrate` needs a validation split"):
        Config(calibrate=True, train_on_validation=True)
