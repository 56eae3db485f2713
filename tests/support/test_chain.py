"""Chains against the sum over all sequences, written out."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from ftkeras.support import chain
from tests.matrix import examples


def _case(seed: int, states: int, lengths: list[int]) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    scores = random.normal(scale=2, size=(len(lengths), max(lengths), states))
    transitions = random.normal(scale=2, size=(states + 1, states + 1))
    given = random.integers(states, size=scores.shape[:2])
    return scores.astype("float32"), given, np.array(lengths), transitions.astype("float32")


def _score(scores: np.ndarray, states: tuple, transitions: np.ndarray) -> float:
    """Return the score of a sequence by its definition."""
    ends = [len(transitions) - 1, *states, len(transitions) - 1]
    between = sum(transitions[pair] for pair in itertools.pairwise(ends)) if states else 0.0
    return between + sum(scores[at, state] for at, state in enumerate(states))


def _every(scores: np.ndarray, transitions: np.ndarray) -> dict[tuple, float]:
    """Return the score of each sequence of a row."""
    sequences = itertools.product(range(scores.shape[1]), repeat=len(scores))
    return {s: _score(scores.astype(float), s, transitions.astype(float)) for s in sequences}


CASES = st.tuples(
    st.integers(0, 10**6),
    st.integers(2, 4),
    st.lists(st.integers(0, 4), min_size=1, max_size=3).filter(any),
)


@given(CASES)
@examples(20)
def test_probabilities_are_those_of_all_sequences(case):
    scores, states, lengths, transitions = _case(*case)
    losses = np.array(chain.negative_log_likelihood(scores, states, lengths, transitions))
    probabilities = np.array(chain.marginals(scores, lengths, transitions))
    for row, length in enumerate(lengths):
        every = _every(scores[row, :length], transitions)
        log_z = np.logaddexp.reduce(list(every.values()))
        wanted = log_z - every[tuple(states[row, :length].tolist())]
        assert losses[row] == pytest.approx(wanted, rel=1e-5, abs=1e-5)
        expected = np.zeros_like(scores[row], float)
        for sequence, score in every.items():
            expected[np.arange(length), list(sequence)] += np.exp(score - log_z)
        np.testing.assert_allclose(probabilities[row], expected, atol=1e-5)


def _by_brute_force(scores, states, lengths, transitions) -> tf.Tensor:
    """Return the losses by summing over all sequences, in operations that can be differentiated."""
    outside, losses = transitions.shape[0] - 1, []
    for row, length in enumerate(lengths):

        def score(sequence, row=row):
            ends = [outside, *sequence, outside] if len(sequence) else []
            parts = [transitions[pair] for pair in itertools.pairwise(ends)]
            return tf.add_n([*parts, *(scores[row, t, s] for t, s in enumerate(sequence)), 0.0])

        every = itertools.product(range(scores.shape[2]), repeat=int(length))
        log_z = tf.reduce_logsumexp(tf.stack([score(s) for s in every]))
        losses.append(log_z - score(tuple(states[row, :length].tolist())))
    return tf.stack(losses)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_gradient_is_that_of_the_sum_over_all_sequences(jit_compile):
    scores, states, lengths, transitions = _case(5, 3, [2, 3, 0, 1])
    weights = tf.constant([0.5, 2.0, 1.0, -1.0])

    def gradients(loss):
        points = tf.constant(scores), tf.constant(transitions)
        with tf.GradientTape() as tape:
            tape.watch(points)
            total = tf.reduce_sum(weights * loss(points[0], states, lengths, points[1]))
        return tape.gradient(total, points)

    compiled = tf.function(
        lambda: gradients(chain.negative_log_likelihood), jit_compile=jit_compile
    )
    for found, expected in zip(compiled(), gradients(_by_brute_force), strict=True):
        np.testing.assert_allclose(found, keras.ops.convert_to_numpy(expected), atol=2e-5)


def test_long_rows_lose_no_precision():
    scores, states, lengths, transitions = _case(6, 4, [500])
    found = chain.negative_log_likelihood(scores, states, lengths, transitions)
    wide = [part.astype("float64") for part in (scores, transitions)]
    expected = chain.negative_log_likelihood(wide[0], states, lengths, wide[1])
    np.testing.assert_allclose(found, expected, rtol=1e-5)
