import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftkeras.data.sampling import hold_out, stratified_sample

LABELS = st.lists(st.integers(0, 4), min_size=5, max_size=200).map(np.array)
SEEDS = st.integers(0, 5)


@given(LABELS, SEEDS, st.data())
def test_sample_has_the_size_and_each_class_by_its_share(labels, seed, data):
    classes, counts = np.unique(labels, return_counts=True)
    size = data.draw(st.integers(len(classes), len(labels)))
    positions = stratified_sample(labels, size, seed=seed)
    assert len(set(positions)) == len(positions) == size
    assert np.array_equal(positions, np.sort(positions))
    _, found = np.unique(labels[positions], return_counts=True)
    assert len(found) == len(classes)
    exact = counts * size / len(labels)
    # Less than one off, except for what classes with a share below one take from the others.
    assert np.all(np.abs(found - exact) < 1 + len(classes))
    if exact.min() >= 1:
        assert np.all(np.abs(found - exact) < 1)


@given(LABELS, SEEDS, st.data())
def test_both_parts_have_all_classes_and_their_sizes(labels, seed, data):
    classes, counts = np.unique(labels, return_counts=True)
    most = len(labels) - len(classes)
    if most < len(classes):
        return
    size = data.draw(st.integers(len(classes), most))
    kept, held_out = hold_out(labels, size, seed=seed)
    assert len(held_out) == size
    assert sorted([*kept, *held_out]) == list(range(len(labels)))
    assert set(labels[kept]) == set(classes)
    assert set(labels[held_out]) == set(classes[counts > 1])


@pytest.mark.parametrize("sample", [stratified_sample, lambda *a, **k: hold_out(*a, **k)[1]])
def test_sample_depends_on_the_seed_and_is_different_for_each(sample):
    labels = np.arange(100) % 3
    first = sample(labels, 20, seed=2**40)
    np.testing.assert_array_equal(sample(labels, 20, seed=2**40), first)
    assert not np.array_equal(sample(labels, 20, seed=1), first)


def test_each_example_of_a_class_is_equally_likely():
    labels = np.array([0] * 8 + [1] * 4 + [2])
    chosen = np.zeros(13)
    for seed in range(600):
        chosen[stratified_sample(labels, 7, seed=seed)] += 1
    # Binomial with p = 1/2: four standard deviations are 49.
    assert np.all(np.abs(chosen[:8] - 300) < 60)
    assert chosen[12] == 600


@pytest.mark.parametrize("sizes", [[70, 25, 5], [900, 99, 1], [10, 10], [1, 1, 1, 97]])
def test_rare_classes_are_in_the_sample(sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    for size in (len(sizes), len(sizes) + 1, len(labels) // 2, len(labels)):
        positions = stratified_sample(labels, size, seed=0)
        assert len(positions) == size
        assert len(np.unique(labels[positions])) == len(sizes)
