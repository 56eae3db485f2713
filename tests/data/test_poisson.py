import numpy as np
import pytest
from scipy import stats

from ftkeras.data.poisson import PoissonSampling

ONES = np.ones(40, np.int64)


def _chosen(sampling: PoissonSampling, epoch: int = 0) -> np.ndarray:
    """Return whether each batch has each example, bool [batches, examples]."""
    has = np.zeros((sampling.batches, len(sampling.counts)), bool)
    for number, parts in enumerate(sampling.parts(epoch)):
        rows = np.concatenate(parts)
        assert len(np.unique(rows[rows >= 0])) == (rows >= 0).sum()  # none twice
        has[number, rows[rows >= 0]] = True
    return has


def test_each_example_is_in_each_batch_with_the_same_probability():
    has = _chosen(PoissonSampling(ONES, rate=0.2, batches=4000, seed=(1, 2)))
    low, high = stats.binom.ppf([1e-6, 1 - 1e-6], 4000, 0.2)
    assert ((low < has.sum(axis=0)) & (has.sum(axis=0) < high)).all()


def test_sizes_of_batches_are_binomial():
    sizes = _chosen(PoissonSampling(ONES, rate=0.2, batches=4000, seed=(1, 2))).sum(axis=1)
    expected = 4000 * stats.binom.pmf(np.arange(41), 40, 0.2)
    counts = np.bincount(sizes, minlength=41)
    common = expected > 20
    rest = [counts[~common].sum()], [expected[~common].sum()]
    found = np.concatenate([counts[common], rest[0]])
    assert stats.chisquare(found, np.concatenate([expected[common], rest[1]])).pvalue > 1e-6


def test_examples_are_chosen_independently():
    has = _chosen(PoissonSampling(ONES, rate=0.3, batches=4000, seed=(3,))).astype(float)
    correlations = np.corrcoef(has.T)[~np.eye(40, dtype=bool)]
    assert abs(correlations).max() < 5.5 / np.sqrt(4000)


def test_batches_depend_on_the_seed_and_the_epoch_alone():
    one = PoissonSampling(ONES, rate=0.3, batches=5, seed=(3,))
    same = PoissonSampling(ONES, rate=0.3, batches=5, seed=(3,))
    np.testing.assert_array_equal(_chosen(one, 2), _chosen(same, 2))
    assert not np.array_equal(_chosen(one, 2), _chosen(one, 3))
    other = PoissonSampling(ONES, rate=0.3, batches=5, seed=(4,))
    assert not np.array_equal(_chosen(one, 2), _chosen(other, 2))


def test_an_example_has_all_its_rows():
    counts = np.array([2, 1, 3])
    (parts,) = PoissonSampling(counts, rate=1.0, batches=1, seed=(0,)).parts(0)
    assert [part.tolist() for part in parts] == [[0, 1], [2], [3, 4, 5]]


@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.parametrize("rate", [1e-9, 0.1, 1.0])
def test_replicas_get_as_many_parts_of_any_sample(rate, replicas):
    sampling = PoissonSampling(ONES, rate=rate, batches=20, seed=(0,), replicas=replicas)
    for parts in sampling.parts(0):
        assert len(parts) % replicas == 0
        assert len(parts) >= 2 * replicas
