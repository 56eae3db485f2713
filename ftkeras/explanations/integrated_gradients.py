"""Attribute a prediction to tokens with integrated gradients, as ops of a graph."""

from collections.abc import Callable, Sequence
from typing import Protocol, cast

import numpy as np
import tensorflow as tf


class Network(Protocol):
    """A model that can be called with changed token embeddings."""

    def embed(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Return token embeddings, float32 [batch, length, hidden]."""
        ...

    def __call__(
        self, inputs: dict[str, tf.Tensor], embedding_offset: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the outputs, [batch, outputs], and the states that they are computed from.

        Args:
            inputs: `token_ids` and maybe `segment_ids`, int32 [batch, length].
            embedding_offset: added to the embeddings, float32 [batch, length, hidden], or None.
        """
        ...


class IntegratedGradients:
    """Compute what each token contributes to the evidence for an answer.

    a_i = (x_i - b_i) · ∫₀¹ ∂f/∂x_i (b + t (x - b)) dt

    Here x are the token embeddings, b the same with [PAD] in place of every token that is not
    special, and f the problem's `evidence`, such as a label's log-odds. Positions and segments stay
    the same in both, so the tokens alone are credited. The integral is computed by Gauss-Legendre
    quadrature.
    Completeness: the a_i of a text add up to f(x) - f(b), except for `gap`.
    Source: Sundararajan et al., 2017, https://arxiv.org/abs/1703.01365.

    Args:
        weights: The model.
        evidence: Outputs [batch, outputs] and the chosen one of each, int64 [batch] -> f,
            [batch].
        pad_id: The id of [PAD].
        special_ids: Ids of the tokens that the baseline keeps; their attribution is 0.
        steps: Points of the quadrature; at least 1.

    Call: `token_ids` and maybe `segment_ids`, int32 [batch, length]; chosen output, int64 [batch]
        -> attributions, float32 [batch, length], and gap, float32 [batch].

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
    """

    def __init__(
        self,
        *,
        weights: Network,
        evidence: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
        pad_id: int,
        special_ids: Sequence[int],
        steps: int,
    ):
        if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
            raise ValueError(f"`steps` must be an integer of at least 1. Received: {steps!r}.")
        self._weights, self._evidence, self._pad_id = weights, evidence, pad_id
        self._special_ids = [pad_id, *special_ids]
        points, shares = np.polynomial.legendre.leggauss(steps)
        self._points, self._shares = (points + 1) / 2, shares / 2  # from (-1, 1) to (0, 1)

    def __call__(
        self, inputs: dict[str, tf.Tensor], chosen: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        difference = self._difference(inputs["token_ids"])

        def evidence(t: float) -> tf.Tensor:
            offset = (t - 1) * difference
            return self._evidence(self._weights(inputs, embedding_offset=offset)[0], chosen)

        mean = self._mean_gradient(inputs, chosen, difference)
        attributions = tf.reduce_sum(difference * mean, axis=-1)
        gap = evidence(1.0) - evidence(0.0) - tf.reduce_sum(attributions, axis=-1)
        return attributions, gap

    def _difference(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Return x - b, [batch, length, hidden]."""
        special = tf.reduce_any(tf.expand_dims(token_ids, -1) == self._special_ids, axis=-1)
        baseline = tf.where(special, token_ids, self._pad_id)
        return self._weights.embed(token_ids) - self._weights.embed(baseline)

    def _mean_gradient(
        self, inputs: dict[str, tf.Tensor], chosen: tf.Tensor, difference: tf.Tensor
    ) -> tf.Tensor:
        """Return the integral of the gradient, one point after the other to save memory."""
        points, shares = (tf.constant(x, tf.float32) for x in (self._points, self._shares))

        def add_point(number: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            offset = (points[number] - 1) * difference
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(offset)
                value = self._evidence(self._weights(inputs, embedding_offset=offset)[0], chosen)
            gradient = cast(tf.Tensor, tape.gradient(value, offset))
            return number + 1, total + shares[number] * gradient

        _, mean = tf.while_loop(
            lambda number, _: number < len(self._points),
            add_point,
            (0, tf.zeros_like(difference)),
            parallel_iterations=1,
        )
        return mean
