"""Classification: metrics, and answers."""

import json

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.losses.cross_entropy import CrossEntropy
from ftkeras.problems.classification import Classification
from ftkeras.statistics import bootstrap
from ftkeras.statistics.significance import wilson

PROBLEM = Classification(labels=("a", "b", "c"))


def _metrics(targets, outputs, loss, *, names):
    return Classification(labels=names).metrics(targets, outputs, loss)


# 2 true positives, 1 false one, 1 missed, 2 true negatives.
TWO_LABELS = np.array([1, 1, 0, 1, 0, 0])
TWO = np.log([[0.2, 0.8], [0.4, 0.6], [0.3, 0.7], [0.9, 0.1], [0.6, 0.4], [0.95, 0.05]])
# Class 2 is no label here, though once predicted.
THREE_LABELS = np.array([0, 0, 1, 1])
THREE = np.log([[0.8, 0.1, 0.1], [0.05, 0.25, 0.7], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]])


def test_figures_of_two_classes_are_the_second_ones():
    figures = _metrics(TWO_LABELS, TWO.astype("float32"), CrossEntropy(), names="ab")
    assert figures["accuracy"] == pytest.approx(4 / 6)
    assert figures["precision"] == pytest.approx(2 / 3)
    assert figures["recall"] == pytest.approx(2 / 3)
    assert figures["f1"] == pytest.approx(2 / 3)
    # Of the nine pairs of a positive and a negative, the scores order six rightly.
    assert figures["auc"] == pytest.approx(6 / 9)
    picked = [0.8, 0.6, 0.3, 0.1, 0.6, 0.95]
    assert figures["loss"] == pytest.approx(-np.mean(np.log(picked)), rel=1e-5)


def test_served_label_is_that_of_the_largest_probability():
    served = PROBLEM.served(tf.constant(THREE, tf.float32))
    assert served["label"].numpy().tolist() == [b"a", b"c", b"b", b"b"]
    np.testing.assert_allclose(served["score"], [0.8, 0.7, 0.8, 0.8], rtol=1e-5)


def test_class_that_a_split_lacks_is_excluded_from_the_means():
    figures = _metrics(THREE_LABELS, THREE.astype("float32"), CrossEntropy(), names="abc")
    assert figures["precision"] == pytest.approx((1 + 1) / 2)
    assert figures["recall"] == pytest.approx((0.5 + 1) / 2)
    assert figures["auc"] == pytest.approx((1 / 2 + 1) / 2)
    assert (figures["positive_class"], figures["absent_classes"]) == (None, ["c"])


def test_confusion_has_a_row_a_label():
    assert PROBLEM.details(THREE_LABELS, THREE)["confusion"] == [[1, 0, 1], [0, 2, 0], [0, 0, 0]]
    assert PROBLEM.details(TWO_LABELS, TWO)["confusion"] == [[2, 1], [1, 2]]


def test_figures_are_plain_json():
    figures = _metrics(TWO_LABELS, TWO.astype("float32"), CrossEntropy(), names="ab")
    assert json.loads(json.dumps(figures)) == figures


@pytest.mark.parametrize(
    ("correct", "examples", "bounds"),
    # Newcombe, 1998, https://pubmed.ncbi.nlm.nih.gov/9595616/, table I, method 3.
    [
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_interval_equals_the_published_one(correct, examples, bounds):
    found = wilson(correct / examples, examples)
    assert found == pytest.approx(bounds, abs=6e-5)


def test_interval_of_a_perfect_accuracy_ends_at_one():
    low, high = wilson(1.0, 50)
    assert (high, low) == pytest.approx((1.0, 1 / (1 + 1.959964**2 / 50)))


@pytest.mark.parametrize("odds", [-16, 0, 8])
def test_file_of_predictions_ranks_texts_as_the_outputs_do(odds):
    # Probabilities near 0 differ far behind the seventh decimal.
    rng = np.random.default_rng(0)
    targets = rng.integers(2, size=500)
    logits = np.stack([np.zeros(500), odds + targets + rng.normal(size=500)], axis=1)
    logits = logits.astype(np.float32)
    problem = Classification(labels=("no", "yes"))
    measured = problem.metrics(targets, logits, lambda *_: 0.0)
    found = problem.predictions(json.loads(json.dumps(problem.decode(targets, logits))))
    values = dict(zip(found.metrics, bootstrap.evaluate([[found]])[0], strict=True))
    assert values["auc"] == pytest.approx(measured["auc"], rel=1e-12)
    assert values["accuracy"] == pytest.approx(measured["accuracy"], rel=1e-12)
