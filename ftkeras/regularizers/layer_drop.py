import keras
from keras import ops

from ftkeras.regularizers._base import Regularizer, stream
from ftkeras.support.bounds import share


class LayerDrop(Regularizer):
    """In training, passes over whole layers at random: stochastic depth.

    x_i = b layer_i(x_{i-1}) + (1 - b) x_{i-1},     b ~ Bernoulli(1 - p)

    with a draw of its own for each example and layer. Nothing is scaled: each layer's output is
    normalized, so a network with all its layers works as it is. It adds no term, and saves no
    work.
    Source: Fan et al., 2020, section 3, https://arxiv.org/abs/1909.11556, and Huang et al., 2016,
    https://arxiv.org/abs/1603.09382; both draw once for a whole batch.

    Args:
        p: probability that an example passes over a layer; at least 0, below 1.
        seed: of the draws.

    Raises:
        ValueError: naming the argument, its bound and the value received; or where another part
            stands around the layers already.
    """

    by_row = True

    def __init__(self, *, p: float = 0.1, seed: int | None = None):
        share(p=p)
        self.p, self.seed = p, seed
        self.seeds = stream("layer_drop", seed)

    def attach(self, model) -> None:
        model.encoder.hooks.add_output_hook(self._passed_over)

    def _passed_over(self, number, before, after):
        draws = keras.random.uniform((ops.shape(after)[0], 1, 1), seed=self.seeds)
        return ops.where(draws < self.p, before, after)
