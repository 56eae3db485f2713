from keras import ops

from ftkeras.regularizers._base import Regularizer, Step, stream
from ftkeras.regularizers._perturbation import by_token, over_norm, uniform, within_norm
from ftkeras.support.bounds import integer, not_negative


class FreeLB(Regularizer):
    """Adversarial training on the mean loss along a few steps up the gradient of the embeddings.

    loss = 1/K Σ_{t<K} L(x + δ_t),     δ_0 = radius * U(-1, 1) / sqrt(L d)
    δ_{t+1} = project(δ_t + step_size * g_t / ||g_t||₂),     g_t = ∇_δ L(x + δ_t)

    in the place of the task's loss, K the steps, L an example's tokens and d the hidden size. The
    projection is onto ||δ||₂ <= radius, an example's tokens together; δ is a constant for the
    gradient of the weights and 0 at padding.
    Costs K passes, each of which gives the gradients of δ and of the weights, and one forward for
    the metrics. Each pass draws its dropout, where the paper keeps one mask for all.
    Source: Zhu et al., 2020, algorithm 1, https://arxiv.org/abs/1909.11764.

    Args:
        steps: passes, K; at least 1.
        step_size: length of a step, α in the paper; at least 0.
        radius: most that δ is long, ε in the paper; at least 0.
        seed: of the draws.

    Raises:
        ValueError: naming the argument, its bound and the value received.
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

    def __call__(self, step: Step):
        def loss_at(offset):
            return step.loss_of(step.forward(offset))

        offset = self.radius * uniform(step.embedding_shape, step.padding_mask, self.seeds)
        mask = by_token(step.padding_mask, offset.dtype)
        losses = []
        for _ in range(self.steps - 1):
            loss, gradient = step.value_and_gradient(loss_at, offset)
            losses.append(loss)
            offset = offset + self.step_size * over_norm(gradient * mask)
            offset = ops.stop_gradient(within_norm(offset, self.radius))
        return sum([*losses, loss_at(offset)]) / self.steps
