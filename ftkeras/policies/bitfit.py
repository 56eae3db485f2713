"""BitFit: train the biases only."""

from ftkeras.policies import _layers
from ftkeras.policies._base import TRAINS, Policy
from ftkeras.support import bounds
from ftkeras.support.protocols import Model


class BitFit(Policy):
    """Train only the encoder's biases, including LayerNorm's, and the head.

    y = norm(x W + b): b and the norm's bias train, W and the norm's scale do not

    The pooler counts as a layer of the encoder, so its bias trains. If the checkpoint has no
    pooler, a new one is used; then train its kernel as well, with `pooler=True`.
    Source: Zaken et al., 2022, section 3, https://arxiv.org/abs/2106.10199.

    Args:
        pooler: whether the whole pooler, if there is one, trains.

    Raises:
        ValueError: if an argument is neither True nor False. The message names it and the value.

    >>> from types import SimpleNamespace
    >>> from ftkeras.encoders.bert import Bert
    >>> encoder = Bert(vocabulary_size=30, layers=2, hidden=8, heads=2, seed=1)
    >>> BitFit().prepare(SimpleNamespace(encoder=encoder))
    >>> all(v.name.endswith("bias") for v in encoder.trainable_variables)
    True
    """

    decides = TRAINS
    rate_factor = 10.0  # Zaken et al. search 1e-4 to 1e-3, and 1e-5 to 5e-5 for all weights

    def __init__(self, *, pooler: bool = False):
        bounds.boolean(pooler=pooler)
        self.pooler = pooler

    def prepare(self, model: Model) -> None:
        whole = _layers.pooler_weights(model.encoder) if self.pooler else []
        trained = {id(variable) for variable in whole}
        for variable in model.encoder.weights:
            variable.trainable = variable.name.endswith("bias") or id(variable) in trained
