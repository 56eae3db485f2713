"""Linear chains: the probability of a sequence of states whose neighbors have a score.

The score of the states y_1 … y_n of a row is

    Σ_t e_t[y_t] + Σ_t A[y_(t-1), y_t],     t = 1 … n, and in the second sum n + 1

where y_0 and y_(n+1) are the state "outside", the last one: row and column C of A, for C states. So
its row holds the scores of the first state, its column those of the last one. A sequence has the
probability exp(score) / Z, where Z sums over all sequences of n states. Source: Lafferty et al.,
2001; Sutton and McCallum, 2012, section 4.1, https://arxiv.org/abs/1011.4088.
"""

from typing import Any, NamedTuple

from keras import ops

Tensor = Any
# The log-probability of what can't be.
IMPOSSIBLE = -1e9


class Messages(NamedTuple):
    """Results of the forward-backward algorithm at places 1 … L + 1 of each row.

    Attributes:
        forward: log of the sum over all states before a place, [rows, places, states + 1].
        backward: the same of all states behind it.
        log_z: log Z, [rows].
    """

    forward: Tensor
    backward: Tensor
    log_z: Tensor


def negative_log_likelihood(
    scores: Tensor, states: Tensor, lengths: Tensor, transitions: Tensor
) -> Tensor:
    """Return -log of the probability of a sequence, [rows].

    Its gradient with respect to a score is the expected number of times that the score counts,
    minus the number in the sequence. It is computed so, not by differentiating the loop over the
    places, which XLA can't do. There is no second derivative.

    Args:
        scores: e, float32 [rows, L, states].
        states: of the sequence, integer [rows, L].
        lengths: n, integer [rows]; at most L. What is behind it is ignored.
        transitions: A, float32 [states + 1, states + 1]. Its last element is not read.

    >>> import numpy as np
    >>> nothing = np.zeros((1, 2, 3), "float32"), np.zeros((4, 4), "float32")
    >>> losses = negative_log_likelihood(nothing[0], np.array([[2, 0]]), np.array([2]), nothing[1])
    >>> print(f"{float(losses[0]):.4f}")  # one of 9
    2.1972
    """
    count = scores.shape[-1]
    weights = _without_corner(transitions)
    pairs = expected_pairs(*map(ops.stop_gradient, (scores, lengths, weights)))
    is_read = _is_read(scores, lengths)
    states = ops.where(is_read, ops.cast(states, "int32"), count)
    chosen = ops.one_hot(states, count + 1, dtype=scores.dtype)
    outside = ops.one_hot(ops.full_like(states[:, :1], count), count + 1, dtype=scores.dtype)
    before, after = (ops.concatenate(p, axis=1) for p in ((outside, chosen), (chosen, outside)))
    observed = ops.matmul(ops.transpose(before, (0, 2, 1)), after)
    own = chosen[..., :count]
    score = _total(own * scores) + _total(observed * weights)
    expected = ops.sum(pairs.probabilities, axis=2)[:, :-1, :count]
    surplus = _total(ops.stop_gradient(expected - own) * scores)
    surplus += _total(ops.stop_gradient(ops.sum(pairs.probabilities, axis=1) - observed) * weights)
    return ops.stop_gradient(pairs.log_z - score - surplus) + surplus


class Pairs(NamedTuple):
    """Probabilities of neighbors: [rows, places, before, after], and log Z, [rows]."""

    probabilities: Tensor
    log_z: Tensor


def expected_pairs(scores: Tensor, lengths: Tensor, transitions: Tensor) -> Pairs:
    """Return the probability of each pair of neighbors, the second of which is at a place.

    The arguments are those of `negative_log_likelihood`. The first place has pairs with the state
    outside before it; behind a row's end, both are outside.
    """
    places = _places(scores, lengths)
    messages = _messages(places, transitions)
    before = ops.concatenate([_start(places)[:, None], messages.forward[:, :-1]], axis=1)
    after = places + messages.backward - messages.log_z[:, None, None]
    return Pairs(ops.exp(before[..., None] + transitions + after[:, :, None]), messages.log_z)


def marginals(scores: Tensor, lengths: Tensor, transitions: Tensor) -> Tensor:
    """Return the probability of each state at each place, [rows, L, states].

    The arguments are those of `negative_log_likelihood`.
    """
    weights = _without_corner(transitions)
    messages = _messages(_places(scores, lengths), weights)
    logs = messages.forward + messages.backward - messages.log_z[:, None, None]
    return ops.exp(logs[:, :-1, : scores.shape[-1]])


def _messages(places: Tensor, transitions: Tensor) -> Messages:
    by_place = ops.transpose(places, (1, 0, 2))

    def forward(before: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        after = ops.logsumexp(before[:, :, None] + transitions, axis=1) + scores
        return after, after

    def backward(after: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        before = ops.logsumexp(transitions + (scores + after)[:, None], axis=2)
        return before, before

    nothing = ops.zeros_like(by_place[0])
    _, forwards = ops.scan(forward, _start(places), by_place)
    _, backwards = ops.scan(backward, nothing, by_place[1:], reverse=True)
    backwards = ops.concatenate([backwards, nothing[None]], axis=0)
    forwards, backwards = (ops.transpose(part, (1, 0, 2)) for part in (forwards, backwards))
    return Messages(forwards, backwards, forwards[:, -1, -1])


def _places(scores: Tensor, lengths: Tensor) -> Tensor:
    """Return the scores of all states with that outside, which alone is possible behind the end.

    Returns:
        float32 [rows, L + 1, states + 1].
    """
    padded = ops.pad(scores, [[0, 0], [0, 1], [0, 1]], constant_values=IMPOSSIBLE)
    is_read = _is_read(padded, lengths)
    return ops.where(is_read[..., None], padded, _start(padded)[:, None])


def _is_read(scores: Tensor, lengths: Tensor) -> Tensor:
    """Return whether a place is before its row's end, bool [rows, places]."""
    return ops.arange(ops.shape(scores)[1], dtype="int32") < ops.cast(lengths, "int32")[:, None]


def _start(places: Tensor) -> Tensor:
    """Return the log-probability of states before the first place, [rows, states + 1]."""
    is_outside = ops.arange(places.shape[-1]) == places.shape[-1] - 1
    only = ops.where(is_outside, 0.0, IMPOSSIBLE)
    return ops.zeros_like(places[:, 0]) + ops.cast(only, places.dtype)


def _without_corner(transitions: Tensor) -> Tensor:
    """Return the transitions with 0 for that from outside to outside."""
    is_outside = ops.arange(transitions.shape[0]) == transitions.shape[0] - 1
    is_corner = ops.logical_and(is_outside[:, None], is_outside[None])
    return ops.where(is_corner, ops.zeros_like(transitions), transitions)


def _total(values: Tensor) -> Tensor:
    return ops.sum(values, axis=(1, 2))
