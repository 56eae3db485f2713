"""Test how texts are ranked, against SciPy and explicit gradients."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import softmax

from ftkeras.selection import scores

RNG = np.random.default_rng(4)
DISTRIBUTIONS = softmax(RNG.normal(size=(30, 2, 3)), axis=-1)
VECTORS = RNG.normal(size=(30, 5))


def test_entropy_is_scipys_and_the_mean_over_decisions():
    expected = stats.entropy(DISTRIBUTIONS, axis=-1).mean(axis=-1)
    np.testing.assert_allclose(scores.entropy(DISTRIBUTIONS), expected)
    assert scores.entropy(np.array([[[1.0, 0.0]]])) == 0


def test_margin_is_that_of_the_least_decided_decision():
    p = np.array([[[0.7, 0.2, 0.1], [0.4, 0.35, 0.25]], [[0.1, 0.8, 0.1], [0.0, 0.0, 1.0]]])
    np.testing.assert_allclose(scores.margin(p), [0.05, 0.7])


def _gradients():
    """Return the gradient of each text's loss with respect to the last layer, in full."""
    answers = np.eye(3)[DISTRIBUTIONS.argmax(axis=-1)]
    factors = (DISTRIBUTIONS - answers).reshape(30, -1)
    return np.einsum("ti,tj->tij", factors, VECTORS).reshape(30, -1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_diverse_texts_are_those_of_k_means_plus_plus_on_whole_gradients(seed):
    gradients, random = _gradients(), np.random.default_rng(seed)
    expected = [int((gradients**2).sum(axis=1).argmax())]
    while len(expected) < 10:
        apart = ((gradients[:, None] - gradients[expected]) ** 2).sum(axis=-1).min(axis=1)
        expected.append(int(random.choice(30, p=apart / apart.sum())))
    found = scores.diverse(DISTRIBUTIONS, VECTORS, 10, seed=seed)
    assert found.tolist() == expected


def test_equal_texts_are_chosen_once():
    """Ten texts of three kinds: there is nothing left to choose after three."""
    kinds = np.arange(10) % 3
    found = scores.diverse(DISTRIBUTIONS[kinds], VECTORS[kinds].astype("float32"), 8, seed=0)
    assert sorted(kinds[found]) == [0, 1, 2]


def test_certain_texts_are_not_chosen():
    """Their gradient is zero, so they are at no distance from each other."""
    certain = np.tile([[[1.0, 0.0, 0.0]]], (5, 1, 1))
    mixed = np.concatenate([DISTRIBUTIONS[:3, :1], certain])
    found = scores.diverse(mixed, np.ones((8, 2)), 8, seed=0)
    assert len(found) == 4
    assert (found >= 3).sum() == 1
