import keras
from keras import ops

from ftkeras.regularizers._base import Regularizer, kept, stream
from ftkeras.support.bounds import share


class Mixout(Regularizer):
    """In training, puts pretrained weights in the place of current ones, at random.

    w' = (m w + (1 - m) w⁰ - p w⁰) / (1 - p) = w⁰ + m (w - w⁰) / (1 - p),     m ~ Bernoulli(1 - p)

    in each kernel of the encoder's layers that trains, with one m for all weights that go out of
    an input neuron, drawn anew in each pass; E[w'] = w. Query, key and value share theirs. The
    gradient is the formula's, so by m / (1 - p); the authors' code leaves out the 1 / (1 - p).
    It adds no term. Memory: those kernels once more.
    Source: Lee et al., 2020, figure 1, https://arxiv.org/abs/1909.11299, who use it
    in the place of dropout (the encoder's dropout=0).

    Args:
        p: probability of the pretrained weight; at least 0, below 1.
        seed: of the draws.

    Raises:
        ValueError: naming the argument, its bound and the value received; or where no kernel
            trains, or one is reparametrized already.
    """

    def __init__(self, *, p: float = 0.7, seed: int | None = None):
        share(p=p)
        self.p, self.seed = p, seed
        self.seeds = stream("mixout", seed)

    def attach(self, model) -> None:
        blocks = model.encoder.blocks
        kernels = [v for b in blocks for v in b.trainable_weights if v.name.endswith("kernel")]
        if not kernels:
            raise ValueError("there is no kernel of an encoder layer that trains, so none to mix.")
        for kernel in kernels:
            model.encoder.hooks.add_kernel_hook(kernel, self._mix_with(kept(kernel)))

    def _mix_with(self, start):
        def mixed(kernel, training):
            if not training:
                return kernel
            moved = ops.subtract(kernel, start)
            rows = (start.shape[0], 1)
            moved = keras.random.dropout(moved, self.p, noise_shape=rows, seed=self.seeds)
            return ops.add(start, moved)

        return mixed
