"""Scores of outliers: against SciPy and scikit-learn, and on texts that they must separate."""

import tracemalloc

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from scipy.special import logsumexp, softmax
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score

from ftkeras.statistics import membership, outliers

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 30, (50, 4))


def test_probability_and_energy_are_scipys():
    wanted = 1 - softmax(LOGITS, axis=1).max(axis=1)
    np.testing.assert_allclose(outliers.one_minus_maximum(LOGITS), wanted, atol=1e-12)
    np.testing.assert_allclose(outliers.energy(LOGITS), -logsumexp(LOGITS, axis=1))


def test_huge_logits_do_not_overflow():
    found = outliers.energy(np.array([[1e4, -1e4], [-1e4, -1e4]]))
    np.testing.assert_allclose(found, [-1e4, 1e4 - np.log(2)])


@pytest.mark.parametrize("groups", [None, RNG.integers(3, size=80) * 5])
def test_distance_is_scipys_to_the_nearest_group(groups):
    seen = RNG.normal(size=(80, 6)) @ RNG.normal(size=(6, 6))
    vectors = RNG.normal(size=(10, 6))
    labels = np.zeros(80, int) if groups is None else groups
    means = {label: seen[labels == label].mean(axis=0) for label in np.unique(labels)}
    centered = seen - np.array([means[label] for label in labels])
    inverse = LedoitWolf(assume_centered=True).fit(centered).get_precision()
    wanted = [min(mahalanobis(v, m, inverse) ** 2 for m in means.values()) for v in vectors]
    np.testing.assert_allclose(outliers.mahalanobis(vectors, seen, groups), wanted, rtol=1e-8)


def test_strangers_are_told_apart():
    seen, known = RNG.normal(size=(200, 5)), RNG.normal(size=(60, 5))
    foreign = RNG.normal(size=(40, 5)) + np.array([3, 0, 0, 0, 0])
    values = outliers.mahalanobis(np.concatenate([known, foreign]), seen)
    area, low, _ = membership.auc(values[60:], values[:60])
    assert area == pytest.approx(roc_auc_score([0] * 60 + [1] * 40, values))
    assert low > 0.8


def test_groups_without_variance_are_at_distance_0():
    seen = np.eye(2)
    assert outliers.mahalanobis(RNG.normal(size=(3, 2)), seen, np.arange(2)).tolist() == [0] * 3


def test_many_groups_of_wide_vectors_take_little_memory():
    seen, groups = RNG.normal(size=(400, 256)), np.repeat(np.arange(200), 2)
    tracemalloc.start()
    outliers.mahalanobis(RNG.normal(size=(500, 256)), seen, groups)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 500 * 200 * 256 * 8 / 10
