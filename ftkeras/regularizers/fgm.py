"""Adversarial training in one step (FGM)."""

from typing import Any

from keras import ops

from ftkeras.regularizers._base import Regularizer, Step
from ftkeras.regularizers._perturbation import over_norm, token_weights
from ftkeras.support.bounds import not_negative


class FGM(Regularizer):
    """Add the loss at embeddings that were moved along their gradient: adversarial training.

    term = L(x + r),     r = epsilon * g / ||g||₂,     g = ∇_x L(x)

    where x are an example's embeddings, summed but not yet normalized. The norm is over all tokens
    of an example. r is treated as a constant when the term is differentiated. The cost is a forward
    pass and a backward pass to the embeddings for g, and a whole pass for the term. Each pass has
    its own dropout.
    Source: Miyato et al., 2017, section 3, https://arxiv.org/abs/1605.07725.

    Args:
        epsilon: L2 norm of r; at least 0.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
    """

    by_row = True

    def __init__(self, *, epsilon: float = 1.0):
        not_negative(epsilon=epsilon)
        self.epsilon = epsilon

    def __call__(self, step: Step) -> Any:
        def loss_at(offset: Any) -> Any:
            return step.loss_of(step.forward(offset))

        _, gradient = step.value_and_gradient(loss_at, ops.zeros(step.embedding_shape))
        gradient = gradient * token_weights(step.padding_mask, gradient.dtype)
        return loss_at(ops.stop_gradient(self.epsilon * over_norm(gradient)))
