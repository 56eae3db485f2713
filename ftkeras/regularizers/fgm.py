from keras import ops

from ftkeras.regularizers._base import Regularizer, Step
from ftkeras.regularizers._perturbation import by_token, over_norm
from ftkeras.support.bounds import not_negative


class FGM(Regularizer):
    """Adversarial training: the loss must be low a step up the gradient of the embeddings too.

    term = L(x + r),     r = epsilon * g / ||g||₂,     g = ∇_x L(x)

    with x an example's embeddings, summed and not yet normalized, and r a constant for the
    gradient; the norm is over all of an example's tokens.
    Costs a pass forward and back to the embeddings for g, and a whole pass for the term; each has
    a dropout of its own.
    Source: Miyato et al., 2017, section 3, https://arxiv.org/abs/1605.07725.

    Args:
        epsilon: length of r; at least 0.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    by_row = True

    def __init__(self, *, epsilon: float = 1.0):
        not_negative(epsilon=epsilon)
        self.epsilon = epsilon

    def __call__(self, step: Step):
        def loss_at(offset):
            return step.loss_of(step.forward(offset))

        _, gradient = step.value_and_gradient(loss_at, ops.zeros(step.embedding_shape))
        gradient = gradient * by_token(step.padding_mask, gradient.dtype)
        return loss_at(ops.stop_gradient(self.epsilon * over_norm(gradient)))
