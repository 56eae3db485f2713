"""Membership inference, against scikit-learn and simulation."""

import numpy as np
import pytest
from scipy import special, stats
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


@pytest.mark.parametrize("m", [3, 4])
def test_interval_of_equal_numbers_is_around_one_half(m):
    area, low, high = membership.auc(np.ones(m), np.ones(5))
    assert area == 0.5
    assert low + high == pytest.approx(1)


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


@pytest.fixture(scope="module")
def shadows():
    """Return confidences of 8 models that rise by 2 if a text was seen, and who saw what."""
    rng = np.random.default_rng(3)
    is_in = np.concatenate([h := rng.permuted(np.tile([[1, 0]] * 2, (1, 500)), axis=1) > 0, ~h] * 2)
    hardness = rng.normal(size=1000, scale=5)
    found = hardness + 2 * is_in + rng.normal(size=(8, 1000))
    seen = np.arange(1000) < 500
    return hardness + 2 * seen + rng.normal(size=1000), found, is_in


def test_likelihood_ratio_is_that_of_two_normals(shadows):
    observed, found, is_in = shadows
    ratios = membership.likelihood_ratios(observed, found, is_in)
    of_text = [(found[is_in[:, n], n], found[~is_in[:, n], n]) for n in range(1000)]
    spreads = [np.sqrt(np.mean([np.var(pair[k], ddof=1) for pair in of_text])) for k in (0, 1)]
    for number in (0, 400, 999):
        likely = [
            stats.norm.logpdf(observed[number], pair.mean(), spread)
            for pair, spread in zip(of_text[number], spreads, strict=True)
        ]
        assert ratios[number] == pytest.approx(likely[0] - likely[1])


def test_likelihood_ratios_see_past_how_hard_a_text_is(shadows):
    observed, found, is_in = shadows
    ratios = membership.likelihood_ratios(observed, found, is_in)
    plain, *_ = membership.auc(observed[:500], observed[500:])
    area, *_ = membership.auc(ratios[:500], ratios[500:])
    assert plain < 0.7
    # With the means of 4 models of each kind, the best is Φ(2 / √2) = 0.92 but for their errors.
    assert 0.86 < area < 0.92


def test_confidence_is_the_logit_of_the_probability():
    probabilities = np.array([1e-4, 0.3, 0.999])
    np.testing.assert_allclose(
        membership.confidence(-np.log(probabilities)), special.logit(probabilities), rtol=1e-6
    )
    assert np.isfinite(membership.confidence(np.array([0.0, 500.0]))).all()
