import numpy as np
import pytest
from scipy import stats

from ftkeras.statistics.exposure import exposure

RNG = np.random.default_rng(0)


def test_exposure_is_that_of_the_ranks():
    planted, candidates = RNG.normal(size=7), RNG.normal(size=50)
    found = exposure(planted, candidates)
    for loss, bits in zip(planted, found.each, strict=True):
        rank = stats.rankdata([loss, *candidates])[0]
        assert bits == pytest.approx(np.log2(51) - np.log2(rank))
    assert found.mean == pytest.approx(found.each.mean())
    area = stats.mannwhitneyu(-planted, -candidates).statistic / (7 * 50)
    assert found.auc == pytest.approx(area)


def test_ties_count_half():
    assert exposure(np.array([1.0, 0.0]), np.ones(3)).each.tolist() == [
        pytest.approx(2 - np.log2(2.5)),
        2.0,
    ]


def test_without_memory_the_mean_is_the_expected_one():
    found = exposure(RNG.normal(size=4000), RNG.normal(size=1000))
    assert found.mean == pytest.approx(found.without, abs=6 * 1.45 / np.sqrt(4000) + 0.1)
    assert found.without == pytest.approx(1 / np.log(2), abs=0.01)
    assert found.bound == pytest.approx(np.log2(1001))
