"""Which tokens a label is owed to: integrated gradients, in graph."""

import numpy as np
import tensorflow as tf

from ftkeras.exporters._weights import Weights


class IntegratedGradients:
    """What each token adds to the log-odds of the label.

    a_i = (x_i - b_i) · integral over t in (0, 1) of df/dx_i (b + t (x - b))

    x are the token embeddings, b the same with [PAD] in the place of each token that is not
    special, and f the label's log-odds, log p / (1 - p). Positions and segments stay, so what is
    attributed is what stands there. The integral is summed by Gauss-Legendre quadrature.
    Completeness: the a_i of a text add up to f(x) - f(b), up to `gap`.
    Source: Sundararajan et al., 2017, https://arxiv.org/abs/1703.01365.

    Args:
        weights: the model.
        pad_id: of [PAD].
        special_ids: of the tokens that the baseline keeps; they get 0.
        steps: points of the quadrature; at least 1.

    Call: inputs, "token_ids" and maybe "segment_ids", int32 [batch, length]; label, int64 [batch]
        -> attributions, float32 [batch, length], and gap, float32 [batch].

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    def __init__(self, *, weights: Weights, pad_id: int, special_ids: list[int], steps: int):
        if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
            raise ValueError(f"`steps` must be an integer of at least 1. Received: {steps!r}.")
        self._weights, self._pad_id, self._special_ids = weights, pad_id, [pad_id, *special_ids]
        points, shares = np.polynomial.legendre.leggauss(steps)
        self._points, self._shares = (points + 1) / 2, shares / 2

    def __call__(self, inputs: dict[str, tf.Tensor], label: tf.Tensor) -> tuple:
        way = self._way(inputs["token_ids"])

        def log_odds(at):
            """Of the text that stands so far on the way from the baseline: 0 there, 1 here."""
            return _log_odds(self._weights(inputs, embedding_offset=(at - 1) * way)[0], label)

        attributions = tf.reduce_sum(way * self._mean_gradient(inputs, label, way), axis=-1)
        gap = log_odds(1.0) - log_odds(0.0) - tf.reduce_sum(attributions, axis=-1)
        return attributions, gap

    def _way(self, token_ids: tf.Tensor) -> tf.Tensor:
        """From the baseline's embeddings to the text's, [batch, length, hidden]."""
        special = tf.reduce_any(token_ids[..., tf.newaxis] == self._special_ids, axis=-1)
        baseline = tf.where(special, token_ids, self._pad_id)
        return self._weights.embedded(token_ids) - self._weights.embedded(baseline)

    def _mean_gradient(self, inputs, label, way) -> tf.Tensor:
        """The gradient's mean over the way, one point after the other: memory is one point's."""
        points, shares = (tf.constant(x, tf.float32) for x in (self._points, self._shares))

        def add(number, total):
            offset = (points[number] - 1) * way
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(offset)
                figure = _log_odds(self._weights(inputs, embedding_offset=offset)[0], label)
            return number + 1, total + shares[number] * tape.gradient(figure, offset)

        _, mean = tf.while_loop(
            lambda number, _: number < len(self._points),
            add,
            (0, tf.zeros_like(way)),
            parallel_iterations=1,
        )
        return mean


def _log_odds(logits: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
    """log p / (1 - p) of the label: its logit less the log-sum-exp of the others'."""
    own = tf.one_hot(label, tf.shape(logits)[-1], on_value=True, off_value=False)
    others = tf.where(own, tf.constant(-np.inf, logits.dtype), logits)
    return tf.gather(logits, label, batch_dims=1) - tf.reduce_logsumexp(others, axis=-1)
