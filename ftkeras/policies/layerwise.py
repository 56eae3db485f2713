from ftkeras.policies import _layers
from ftkeras.policies._base import RATES, Policy
from ftkeras.support import bounds


class Layerwise(Policy):
    """The rate falls by one factor from each layer to the one below.

    rate(layer_i) = rate * decay^(L - 1 - i),  i from 0 to L - 1;  rate(embeddings) = rate * decay^L

    Pooler and head learn at the full rate; weight decay goes with the rate.
    Source: Sun et al., 2019, section 5.3.4, https://arxiv.org/abs/1905.05583 (0.95 is their best).

    Args:
        decay: factor from a layer to the one below; over 0, at most 1.

    Raises:
        ValueError: naming the argument, its bound and the value received; in `check`, where no
            layer trains.
    """

    decides = RATES

    def __init__(self, *, decay: float = 0.95):
        bounds.positive(decay=decay)
        if decay > 1:
            raise ValueError(f"`decay` must be at most 1. Received: {decay}.")
        self.decay = decay

    def check(self, model) -> None:
        _layers.must_learn(model.encoder)

    def multipliers(self, model) -> list[tuple[str, float]]:
        return _layers.falling_rates(model.encoder, self.decay)
