"""Adversarial training along several steps (FreeLB)."""

from typing import Any

from keras import ops

from ftkeras.regularizers._base import Regularizer, Step
from ftkeras.regularizers._perturbation import over_norm, token_weights, uniform, within_norm
from ftkeras.regularizers._random import stream
from ftkeras.support.bounds import integer, not_negative


class FreeLB(Regularizer):
    """Train on the mean loss over several adversarial steps of the embeddings.

    loss = 1/K Σ_{t<K} L(x + δ_t),     δ_0 = radius * U(-1, 1) / sqrt(L d)
    δ_{t+1} = project(δ_t + step_size * g_t / ||g_t||₂),     g_t = ∇_δ L(x + δ_t)

    It replaces the task's loss. K is the number of steps, L the example's number of tokens, and d
    the hidden size. The projection is onto ||δ||₂ <= radius, over all tokens of an example. δ is 0
    at padding, and is treated as a constant when the loss is differentiated with respect to the
    weights. The cost is K passes, each of which computes the gradients of δ and of the weights, and
    a forward pass for the metrics. Each pass has its own dropout; the paper uses one mask for all.
    Source: Zhu et al., 2020, algorithm 1, https://arxiv.org/abs/1909.11764.

    Args:
        steps: K; at least 1.
        step_size: length of a step, α in the paper; at least 0.
        radius: largest L2 norm of δ, ε in the paper; at least 0.
        seed: integer that determines δ_0, or None.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
    """

    replaces_loss = True
    by_row = True

    def __init__(
        self,
        *,
        steps: int = 3,
        step_size: float = 0.1,
        radius: float = 0.3,
        seed: int | None = None,
    ):
        integer(1, steps=steps)
        not_negative(step_size=step_size, radius=radius)
        self.steps, self.step_size, self.radius, self.seed = steps, step_size, radius, seed
        self.seeds = stream("freelb", seed)

    def __call__(self, step: Step) -> Any:
        def loss_at(offset: Any) -> Any:
            return step.loss_of(step.forward(offset))

        offset = self.radius * uniform(step.embedding_shape, step.padding_mask, self.seeds)
        mask = token_weights(step.padding_mask, offset.dtype)
        losses = []
        for _ in range(self.steps - 1):
            loss, gradient = step.value_and_gradient(loss_at, offset)
            losses.append(loss)
            offset = offset + self.step_size * over_norm(gradient * mask)
            offset = ops.stop_gradient(within_norm(offset, self.radius))
        return sum([*losses, loss_at(offset)]) / self.steps
