import warnings

import numpy as np
import pytest
from sklearn import metrics

from ftkeras.statistics import classifier_metrics

RNG = np.random.default_rng(0)
LABELS = RNG.integers(4, size=200)
PROBABILITIES = RNG.dirichlet(np.ones(4), size=200) + 0.5 * np.eye(4)[LABELS]
PROBABILITIES /= PROBABILITIES.sum(axis=1, keepdims=True)


def test_metrics_are_scikit_learns():
    found = classifier_metrics.measure(LABELS, PROBABILITIES)
    predicted = PROBABILITIES.argmax(axis=1)
    assert found == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(LABELS, predicted),
            "precision": metrics.precision_score(LABELS, predicted, average="macro"),
            "recall": metrics.recall_score(LABELS, predicted, average="macro"),
            "f1": metrics.f1_score(LABELS, predicted, average="macro"),
            "auc": metrics.roc_auc_score(LABELS, PROBABILITIES, multi_class="ovr"),
            "macro_f1": metrics.f1_score(LABELS, predicted, average="macro"),
            "mcc": metrics.matthews_corrcoef(LABELS, predicted),
            "balanced_accuracy": metrics.balanced_accuracy_score(LABELS, predicted),
        }
    )
    assert {*found, "loss"} == set(classifier_metrics.NAMES)


def test_of_two_classes_f1_is_the_second_ones_and_macro_f1_the_mean():
    labels, probabilities = LABELS % 2, np.stack([1 - PROBABILITIES[:, 1], PROBABILITIES[:, 1]], 1)
    found, predicted = classifier_metrics.measure(labels, probabilities), probabilities.argmax(1)
    assert found["f1"] == metrics.f1_score(labels, predicted)
    assert found["macro_f1"] == metrics.f1_score(labels, predicted, average="macro")
    assert found["auc"] == metrics.roc_auc_score(labels, probabilities[:, 1])


def test_absent_classes_are_named_and_excluded_from_means():
    present = LABELS != 3
    labels, probabilities = LABELS[present], PROBABILITIES[present]
    found = classifier_metrics.per_class(labels, probabilities, "abcd")
    assert (found["positive_class"], found["absent_classes"]) == (None, ["d"])
    means = classifier_metrics.measure(labels, probabilities)
    for name, mean in (("precision", "precision"), ("recall", "recall"), ("f1", "macro_f1")):
        of_present = [row[name] for row in found["per_class"] if row["support"]]
        assert means[mean] == pytest.approx(np.mean(of_present))
    areas = [metrics.roc_auc_score(labels == c, probabilities[:, c]) for c in range(3)]
    assert means["auc"] == pytest.approx(np.mean(areas))
    assert sum(row["support"] for row in found["per_class"]) == len(labels)


def test_area_of_a_single_class_is_undefined():
    assert classifier_metrics.measure(np.zeros(5, int), PROBABILITIES[:5])["auc"] is None


def test_data_of_a_single_class_are_measured_without_a_warning():
    probabilities = np.tile([0.9, 0.1], (5, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = classifier_metrics.measure(np.zeros(5, int), probabilities)
    assert (found["accuracy"], found["mcc"]) == (1, 0)
