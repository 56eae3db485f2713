"""Layer-wise learning-rate decay."""

from ftkeras.policies import _layers
from ftkeras.policies._base import RATES, Policy
from ftkeras.support import bounds
from ftkeras.support.protocols import Model


class Layerwise(Policy):
    """Decrease the learning rate by a constant factor from each layer to the one below.

    rate(layer_i) = rate * decay^(L - 1 - i),  i from 0 to L - 1;  rate(embeddings) = rate * decay^L

    The pooler and the head learn at the full rate. Weight decay is scaled with the rate.
    Source: Sun et al., 2019, section 5.3.4, https://arxiv.org/abs/1905.05583 (0.95 is their best).

    Args:
        decay: factor from a layer to the one below; above 0, at most 1.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
            In `check`: if no layer trains.

    >>> from types import SimpleNamespace
    >>> from ftkeras.encoders.bert import Bert
    >>> encoder = Bert(vocabulary_size=30, layers=2, hidden=8, heads=2, seed=1)
    >>> Layerwise(decay=0.5).multipliers(SimpleNamespace(encoder=encoder))
    [('^encoder/layer_1/', 1.0), ('^encoder/layer_0/', 0.5), ('^encoder/embeddings/', 0.25)]
    """

    decides = RATES

    def __init__(self, *, decay: float = 0.95):
        bounds.positive(decay=decay)
        if decay > 1:
            raise ValueError(f"`decay` must be at most 1. Received: {decay}.")
        self.decay = decay

    def check(self, model: Model) -> None:
        _layers.check_any_trains(model.encoder)

    def multipliers(self, model: Model) -> list[tuple[str, float]]:
        return _layers.falling_rates(model, self.decay)
