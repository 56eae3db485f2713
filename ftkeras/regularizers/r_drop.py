from ftkeras.regularizers._base import Regularizer, Step
from ftkeras.regularizers._divergence import both_ways
from ftkeras.support.bounds import not_negative


class RDrop(Regularizer):
    """A second pass with another dropout must be right as well, and say the same.

    term = L(P₂) + alpha/2 * (KL(P₁ || P₂) + KL(P₂ || P₁))

    beside the task's L(P₁), so that the whole loss is L(P₁) + L(P₂) + alpha * L_KL: the losses of
    both passes are summed, as in the paper's formula, where its code takes their mean (that is
    half of this with alpha doubled). The loss reported is about twice the task's.
    Costs a second pass, forward and backward.
    Source: Liang et al., 2021, section 2, https://arxiv.org/abs/2106.14448.

    Args:
        alpha: weight of the divergence; at least 0.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    def __init__(self, *, alpha: float = 1.0):
        not_negative(alpha=alpha)
        self.alpha = alpha

    def __call__(self, step: Step):
        other = step.forward()
        divergence = step.mean(both_ways(step.logits, other))
        return step.loss_of(other) + self.alpha / 2 * divergence
