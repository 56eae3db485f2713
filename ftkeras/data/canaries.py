"""Random texts with random labels, planted to measure what a model learns by heart."""

from typing import Any

import numpy as np
import tensorflow as tf

CONSONANTS, VOWELS = tuple("bdfghklmnprstvz"), tuple("aeiou")
WORDS, SYLLABLES = 8, (2, 3)  # of a text; of a word, at least and at most
# Texts that could have been planted as well, with which those that were are compared.
CANDIDATES = 1000
# Part of the seed, so that no other random numbers are the same.
STREAM = 0xCA9A21


def texts(count: int, seed: int) -> list[str]:
    """Return random texts, none of them twice, whose words are syllables without a meaning.

    >>> texts(1, seed=0)[0].count(" ")
    7
    """
    rng = np.random.default_rng((seed, STREAM))
    chosen: dict[str, None] = {}
    while len(chosen) < count:
        words = ("".join(_syllables(rng)) for _ in range(WORDS))
        chosen[" ".join(words)] = None
    return list(chosen)


def planted(targets: np.ndarray, count: int, seed: int, *, pairs: bool = False) -> tf.data.Dataset:
    """Return the canaries of a run, elements as those of a task.

    Args:
        targets: the answers to the training examples, [examples, …]; those of canaries are drawn
            from them.
        count: how many.
        seed: determines them.
        pairs: whether an example is a pair of texts.
    """
    return _examples(targets, seed, pairs, slice(0, count), count)


def candidates(
    targets: np.ndarray, count: int, seed: int, *, pairs: bool = False
) -> tf.data.Dataset:
    """Return further texts of the same kind, `CANDIDATES` of them, that were not planted."""
    return _examples(targets, seed, pairs, slice(count, None), count)


def _examples(
    targets: np.ndarray, seed: int, pairs: bool, part: slice, count: int
) -> tf.data.Dataset:
    size = count + CANDIDATES
    made, rng = texts(size * (2 if pairs else 1), seed), np.random.default_rng((seed, STREAM, 1))
    labels = targets[rng.choice(len(targets), size)]
    arrays: Any = {"text": made[:size][part], "label": labels[part]}
    if pairs:
        arrays["pair"] = made[size:][part]
    return tf.data.Dataset.from_tensor_slices(arrays)


def _syllables(rng: np.random.Generator) -> list[str]:
    low, high = SYLLABLES
    count = rng.integers(low, high + 1)
    return [CONSONANTS[rng.integers(15)] + VOWELS[rng.integers(5)] for _ in range(count)]
