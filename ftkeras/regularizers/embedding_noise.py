from keras import ops

from ftkeras.regularizers._base import Regularizer, stream
from ftkeras.regularizers._perturbation import uniform
from ftkeras.support.bounds import not_negative


class EmbeddingNoise(Regularizer):
    """In training, adds uniform noise to the embeddings.

    x' = x + alpha * U(-1, 1) / sqrt(L d)

    with L an example's tokens, d the hidden size, and no noise at padding; x is the sum of the
    embeddings, not yet normalized. It adds no term.
    Source: Jain et al., 2023 (NEFTune), algorithm 1, https://arxiv.org/abs/2310.05914.

    Args:
        alpha: about 1.7 times the length of an example's whole noise; at least 0.
        seed: of the draws.

    Raises:
        ValueError: naming the argument, its bound and the value received; or where another part
            changes the embeddings already.
    """

    by_row = True

    def __init__(self, *, alpha: float = 5.0, seed: int | None = None):
        not_negative(alpha=alpha)
        self.alpha, self.seed = alpha, seed
        self.seeds = stream("embedding_noise", seed)

    def attach(self, model) -> None:
        model.encoder.hooks.add_embedding_hook(self._noisy)

    def _noisy(self, x, padding_mask):
        noise = uniform(ops.shape(x), padding_mask, self.seeds)
        return x + self.alpha * ops.cast(noise, x.dtype)
