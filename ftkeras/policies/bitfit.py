from ftkeras.policies._base import TRAINS, Policy
from ftkeras.support import bounds


class BitFit(Policy):
    """Of the encoder only the biases train, LayerNorm's among them (not its scale); and the head.

    y = norm(x W + b): of W, b and the norm's scale and bias, b and the norm's bias train

    The pooler counts as a layer of the encoder: its bias trains. A checkpoint without a pooler has
    a new one, whose kernel then had better train: `pooler=True`.
    Source: Zaken et al., 2022, section 3, https://arxiv.org/abs/2106.10199.

    Args:
        pooler: whether the whole pooler, where there is one, trains.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    decides = TRAINS

    def __init__(self, *, pooler: bool = False):
        bounds.boolean(pooler=pooler)
        self.pooler = pooler

    def prepare(self, model) -> None:
        encoder = model.encoder
        whole = encoder.pool.weights if self.pooler and encoder.pool is not None else []
        kept = {id(variable) for variable in whole}
        for variable in encoder.weights:
            variable.trainable = variable.name.endswith("bias") or id(variable) in kept
