"""Membership inference, against scikit-learn and simulation."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from ftkeras.statistics import membership


@pytest.fixture
def numbers():
    rng = np.random.default_rng(0)
    members, others = rng.normal(0.5, 1, 300), rng.normal(0, 1, 1500)
    return np.round(members, 1), np.round(others, 1)  # with ties


def test_area_is_that_of_scikit_learn(numbers):
    members, others = numbers
    truth = np.repeat([1, 0], [len(members), len(others)])
    expected = roc_auc_score(truth, np.concatenate(numbers))
    assert membership.auc(members, others)[0] == pytest.approx(expected, abs=1e-12)


def test_interval_of_the_area_is_that_of_the_bootstrap(numbers):
    members, others = numbers
    rng = np.random.default_rng(1)
    drawn = [
        membership.auc(rng.choice(members, len(members)), rng.choice(others, len(others)))[0]
        for _ in range(1000)
    ]
    _, low, high = membership.auc(members, others)
    assert (low, high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.006)


def test_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(2)
    covered = [
        low <= 0.5 <= high
        for _ in range(400)
        for _, low, high in [membership.auc(rng.normal(size=80), rng.normal(size=60))]
    ]
    assert 0.91 <= np.mean(covered) <= 0.98  # 0.95 ± 3.7 standard errors


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1])
def test_rate_is_that_of_the_roc_curve(numbers, share):
    members, others = numbers
    truth = np.repeat([1, 0], [len(members), len(others)])
    false, true, _ = roc_curve(truth, np.concatenate(numbers), drop_intermediate=False)
    found = membership.rate(members, others, share)
    assert found.value == pytest.approx(true[false <= share].max())
    assert found.low <= found.value <= found.high


def test_too_few_texts_have_no_rate(numbers):
    members, others = numbers
    assert membership.rate(members, others[:999], 0.001) is None
    assert membership.rate(members, others[:1000], 0.001) is not None
