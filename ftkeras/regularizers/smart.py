import keras
from keras import ops

from ftkeras.regularizers._base import Regularizer, Step, stream
from ftkeras.regularizers._divergence import both_ways
from ftkeras.regularizers._perturbation import by_token, over_largest
from ftkeras.support.bounds import integer, not_negative


class Smart(Regularizer):
    """The prediction must not change where the embeddings change a little.

    term = strength * mean(KL(P || Q) + KL(Q || P)),     P = f(x), Q = f(x + δ)
    δ from N(0, deviation²), then `steps` times:
        δ <- project(δ + step_size * g / ||g||_∞),     g = ∇_δ (KL(P || Q) + KL(Q || P))

    with the projection onto |δ| <= radius in each coordinate. δ is a constant for the gradient of
    the weights, which goes through P and Q, and 0 at padding. It is the paper's smoothness term;
    its Bregman proximal updates are not here.
    Costs a pass forward and back to the embeddings for each step, and a whole pass for the term.
    Each pass draws its dropout, as in the authors' code, so with dropout the term has a part of
    R-Drop's. A radius this small needs float32.
    Source: Jiang et al., 2020, section 3.1 and algorithm 1, https://arxiv.org/abs/1911.03437.

    Args:
        strength: λ in the paper; at least 0.
        steps: of ascent; at least 1.
        step_size: η in the paper; at least 0.
        radius: ε in the paper; at least 0.
        deviation: σ in the paper, of the normal noise to begin with; at least 0.
        seed: of the draws.

    Raises:
        ValueError: naming the argument, its bound and the value received.
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

    def __call__(self, step: Step):
        offset = self._offset(step, ops.stop_gradient(step.logits))
        return self.strength * step.mean(both_ways(step.logits, step.forward(offset)))

    def _offset(self, step, logits):
        def divergence_at(offset):
            return step.mean(both_ways(logits, step.forward(offset)))

        noise = keras.random.normal(step.embedding_shape, seed=self.seeds)
        mask = by_token(step.padding_mask, noise.dtype)
        offset = self.deviation * noise * mask
        for _ in range(self.steps):
            _, gradient = step.value_and_gradient(divergence_at, offset)
            offset = offset + self.step_size * over_largest(gradient * mask)
            offset = ops.stop_gradient(ops.clip(offset, -self.radius, self.radius))
        return offset
