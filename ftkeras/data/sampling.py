"""Stratified samples: choose examples so that each class keeps its share."""

from typing import Any

import numpy as np


def stratified_sample(labels: np.ndarray, size: int, *, seed: int) -> np.ndarray:
    """Return the sorted positions of a stratified random sample without replacement.

    Each class gets its share of the sample, rounded down; the rest goes to the classes with the
    largest remainders (scikit-learn's `resample`). A class whose share is below one example gets
    exactly one, and the other classes share what is left.

    Args:
        labels: integer [examples].
        size: the number of examples to choose, from the number of classes to that of examples.
        seed: determines which examples of a class are chosen.

    >>> labels = np.array([0] * 6 + [1] * 3)
    >>> labels[stratified_sample(labels, 3, seed=0)]
    array([0, 0, 1])
    """
    from sklearn.utils import resample  # takes over a second to import

    random = np.random.RandomState(np.random.default_rng(seed).bit_generator)
    _, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    rare = _rare_classes(counts, size)
    chosen = [random.choice(np.flatnonzero(classes == label), 1) for label in np.flatnonzero(rare)]
    others = np.flatnonzero(~rare[classes])
    if others.size:
        rest: Any = resample(
            others,
            replace=False,
            n_samples=size - len(chosen),
            stratify=classes[others],
            random_state=random,
        )
        chosen.append(rest)
    return np.sort(np.concatenate(chosen))


def hold_out(labels: np.ndarray, size: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split examples into a part to keep and a stratified sample, both with all classes.

    Args:
        labels: integer [examples].
        size: the size of the sample, from the number of classes to the number of examples less the
            number of classes.
        seed: determines which examples are held out.

    Returns:
        The sorted positions of the examples to keep and of those held out. A class with a single
        example is kept; of any other class, both parts get at least one example.
    """
    keep = stratified_sample(labels, len(np.unique(labels)), seed=seed)  # one of each class
    rest = np.setdiff1d(np.arange(len(labels)), keep)
    held_out = rest[stratified_sample(labels[rest], size, seed=seed)]
    return np.setdiff1d(np.arange(len(labels)), held_out), held_out


def _rare_classes(counts: np.ndarray, size: int) -> np.ndarray:
    """Return which classes get exactly one example, because their share is less than one.

    Each of them takes its example from the others' shares, which may make another class rare.
    """
    rare = np.zeros(len(counts), bool)
    while True:
        grown = rare | (counts * (size - rare.sum()) < counts[~rare].sum())
        if np.array_equal(grown, rare):
            return rare
        rare = grown
