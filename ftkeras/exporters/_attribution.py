"""Attribute a prediction to tokens with integrated gradients, as ops of a graph."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from ftkeras.exporters._weights import Weights


class IntegratedGradients:
    """Compute what each token contributes to the log-odds of a label.

    a_i = (x_i - b_i) · ∫₀¹ ∂f/∂x_i (b + t (x - b)) dt

    Here x are the token embeddings, b the same with [PAD] in place of every token that is not
    special, and f the label's log-odds, log p / (1 - p). Positions and segments stay the same in
    both, so the tokens alone are credited. The integral is computed by Gauss-Legendre quadrature.
    Completeness: the a_i of a text add up to f(x) - f(b), except for `gap`.
    Source: Sundararajan et al., 2017, https://arxiv.org/abs/1703.01365.

    Args:
        weights: The model.
        pad_id: The id of [PAD].
        special_ids: Ids of the tokens that the baseline keeps; their attribution is 0.
        steps: Points of the quadrature; at least 1.

    Call: `token_ids` and maybe `segment_ids`, int32 [batch, length]; label, int64 [batch]
        -> attributions, float32 [batch, length], and gap, float32 [batch].

    Raises:
        ValueError: Naming the argument, its bound and the value received.
    """

    def __init__(self, *, weights: Weights, pad_id: int, special_ids: Sequence[int], steps: int):
        if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
            raise ValueError(f"`steps` must be an integer of at least 1. Received: {steps!r}.")
        self._weights, self._pad_id, self._special_ids = weights, pad_id, [pad_id, *special_ids]
        points, shares = np.polynomial.legendre.leggauss(steps)
        self._points, self._shares = (points + 1) / 2, shares / 2  # from (-1, 1) to (0, 1)

    def __call__(
        self, inputs: dict[str, tf.Tensor], label: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        difference = self._difference(inputs["token_ids"])

        def log_odds(t: float) -> tf.Tensor:
            offset = (t - 1) * difference
            return _log_odds(self._weights(inputs, embedding_offset=offset)[0], label)

        mean = self._mean_gradient(inputs, label, difference)
        attributions = tf.reduce_sum(difference * mean, axis=-1)
        gap = log_odds(1.0) - log_odds(0.0) - tf.reduce_sum(attributions, axis=-1)
        return attributions, gap

    def _difference(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Return x - b, [batch, length, hidden]."""
        special = tf.reduce_any(token_ids[..., tf.newaxis] == self._special_ids, axis=-1)
        baseline = tf.where(special, token_ids, self._pad_id)
        return self._weights.embed(token_ids) - self._weights.embed(baseline)

    def _mean_gradient(
        self, inputs: dict[str, tf.Tensor], label: tf.Tensor, difference: tf.Tensor
    ) -> tf.Tensor:
        """Return the integral of the gradient, one point after the other to save memory."""
        points, shares = (tf.constant(x, tf.float32) for x in (self._points, self._shares))

        def add_point(number: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            offset = (points[number] - 1) * difference
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(offset)
                value = _log_odds(self._weights(inputs, embedding_offset=offset)[0], label)
            return number + 1, total + shares[number] * tape.gradient(value, offset)

        _, mean = tf.while_loop(
            lambda number, _: number < len(self._points),
            add_point,
            (0, tf.zeros_like(difference)),
            parallel_iterations=1,
        )
        return mean


def _log_odds(logits: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
    """Return log p / (1 - p): the label's logit minus the log-sum-exp of the others."""
    own = tf.one_hot(label, tf.shape(logits)[-1], on_value=True, off_value=False)
    others = tf.where(own, tf.constant(-np.inf, logits.dtype), logits)
    return tf.gather(logits, label, batch_dims=1) - tf.reduce_logsumexp(others, axis=-1)
