"""Smoothness of the prediction (SMART)."""

from typing import Any

import keras
from keras import ops

from ftkeras.regularizers._base import Regularizer, Step
from ftkeras.regularizers._perturbation import over_largest, token_weights
from ftkeras.regularizers._random import stream
from ftkeras.support.bounds import integer, not_negative


class Smart(Regularizer):
    """Penalize how much the prediction changes under small changes of the embeddings.

    term = strength * mean(KL(P || Q) + KL(Q || P)),     P = f(x), Q = f(x + δ)
    δ from N(0, deviation²), then `steps` times:
        δ <- project(δ + step_size * g / ||g||_∞),     g = ∇_δ (KL(P || Q) + KL(Q || P))

    The projection is onto |δ| <= radius in each coordinate. δ is 0 at padding, and a constant when
    the term is differentiated with respect to the weights, through both P and Q. This is the
    paper's smoothness term, without its Bregman proximal updates.
    The cost is a forward pass and a backward pass to the embeddings for each step, and a whole pass
    for the term. Each pass has its own dropout, as in the authors' code, so with dropout the term
    contains a part of R-Drop's. Such a small radius needs float32.
    Source: Jiang et al., 2020, section 3.1 and algorithm 1, https://arxiv.org/abs/1911.03437.

    Args:
        strength: λ in the paper; at least 0.
        steps: ascent steps; at least 1.
        step_size: η in the paper; at least 0.
        radius: ε in the paper; at least 0.
        deviation: σ in the paper, standard deviation of the first δ; at least 0.
        seed: integer that determines the first δ, or None.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
    """

    by_row = True

    def __init__(
        self,
        *,
        strength: float = 1.0,
        steps: int = 1,
        step_size: float = 1e-3,
        radius: float = 1e-5,
        deviation: float = 1e-5,
        seed: int | None = None,
    ):
        not_negative(strength=strength, step_size=step_size, radius=radius, deviation=deviation)
        integer(1, steps=steps)
        self.strength, self.steps, self.step_size = strength, steps, step_size
        self.radius, self.deviation, self.seed = radius, deviation, seed
        self.seeds = stream("smart", seed)

    def __call__(self, step: Step) -> Any:
        offset = self._offset(step, ops.stop_gradient(step.logits))
        return self.strength * step.mean(step.divergence(step.logits, step.forward(offset)))

    def _offset(self, step: Step, logits: Any) -> Any:
        def divergence_at(offset: Any) -> Any:
            return step.mean(step.divergence(logits, step.forward(offset)))

        noise = keras.random.normal(step.embedding_shape, seed=self.seeds)
        mask = token_weights(step.padding_mask, noise.dtype)
        offset = self.deviation * noise * mask
        for _ in range(self.steps):
            _, gradient = step.value_and_gradient(divergence_at, offset)
            offset = offset + self.step_size * over_largest(gradient * mask)
            offset = ops.stop_gradient(ops.clip(offset, -self.radius, self.radius))
        return offset
