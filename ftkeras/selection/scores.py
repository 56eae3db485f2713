"""Score answers by how undecided they are, and choose those that differ from each other."""

from collections.abc import Callable

import numpy as np


def entropy(distributions: np.ndarray) -> np.ndarray:
    """Return -Σ p log p of each decision, the mean over a text's decisions, in nats, [texts].

    Args:
        distributions: the probabilities of the alternatives, [texts, decisions, alternatives].

    >>> entropy(np.array([[[0.5, 0.5]], [[1.0, 0.0]]])).round(4).tolist()
    [0.6931, 0.0]
    """
    from scipy.special import entr

    return entr(distributions).sum(axis=-1).mean(axis=-1)


def margin(distributions: np.ndarray) -> np.ndarray:
    """Return the difference of the two highest probabilities, the least of all decisions, [texts].

    Source: Scheffer et al., 2001, https://doi.org/10.1007/3-540-44816-0_31.

    >>> margin(np.array([[[0.5, 0.3, 0.2]], [[0.9, 0.1, 0.0]]])).round(4).tolist()
    [0.2, 0.8]
    """
    ordered = np.sort(distributions, axis=-1)
    return (ordered[..., -1] - ordered[..., -2]).min(axis=-1)


def diverse(distributions: np.ndarray, vectors: np.ndarray, count: int, *, seed: int) -> np.ndarray:
    """Return the positions of texts whose gradients are large and far apart, in their order.

    The gradient of a text is that of its loss with respect to the last layer, if the answer were
    right: g = (p - y) ⊗ v, with y the most probable alternative of each decision and v the text's
    vector. The first text has the longest one. Each further one is sampled with a probability
    proportional to the squared distance from the nearest one before, as k-means++ does.
    Source: BADGE, Ash et al., 2020, https://arxiv.org/abs/1906.03671.

    Args:
        distributions: [texts, decisions, alternatives].
        vectors: [texts, size].
        count: how many to choose; fewer if all others are at no distance.
        seed: of the samples.
    """
    vectors = vectors.astype(np.float64)
    best = distributions.argmax(axis=-1)[..., None]
    answers = (np.arange(distributions.shape[-1]) == best).astype(np.float64)
    factors = (distributions - answers).reshape(len(distributions), -1)
    squares = _squares(factors) * _squares(vectors)
    to_each = _distances(factors, vectors, squares)
    random, chosen = np.random.default_rng(seed), [int(squares.argmax())]
    nearest = to_each(chosen[0])
    while len(chosen) < min(count, len(squares)) and (total := nearest.sum()) > 0:
        chosen.append(int(random.choice(len(squares), p=nearest / total)))
        nearest = np.minimum(nearest, to_each(chosen[-1]))
    return np.array(chosen)


def _squares(rows: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", rows, rows, dtype=np.float64)


def _distances(
    factors: np.ndarray, vectors: np.ndarray, squares: np.ndarray
) -> Callable[[int], np.ndarray]:
    """Return a function: text -> squared distances of its gradient from all others.

    The products of gradients are those of their factors, so no gradient is ever computed.
    """

    def to_each(text: int) -> np.ndarray:
        products = (factors @ factors[text]) * (vectors @ vectors[text])
        distances = np.maximum(squares + squares[text] - 2 * products, 0)
        # What is left of a difference of equal numbers is no distance.
        return np.where(distances <= 1e-9 * (squares + squares[text]), 0, distances)

    return to_each
