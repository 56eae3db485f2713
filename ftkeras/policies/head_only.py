from ftkeras.policies import _layers
from ftkeras.policies._base import TRAINS, Policy
from ftkeras.support import bounds


class HeadOnly(Policy):
    """Feature-based: the encoder stays as it is, and the head learns on what it says of a text.

    As features are a function of the text, the encoder's dropout is off in training too; the
    head's own stays on. The pooler is the head's first dense layer and trains with it: many
    checkpoints have none, and it then starts from random numbers.
    Source: Devlin et al., 2019, section 5.3, https://arxiv.org/abs/1810.04805 (who put a BiLSTM on
    several layers; here it is this project's head on the last one).

    Args:
        pooler: whether the pooler, where there is one, trains.
        dropout: whether the encoder's dropout stays on in training.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    decides = TRAINS

    def __init__(self, *, pooler: bool = True, dropout: bool = False):
        bounds.boolean(pooler=pooler, dropout=dropout)
        self.pooler, self.dropout = pooler, dropout

    def prepare(self, model) -> None:
        encoder = model.encoder
        _layers.freeze(encoder, pooler=self.pooler)
        if self.dropout:
            return
        for part in _layers.body(encoder):
            part.rate = 0.0
        for block in encoder.blocks:
            block.attention_rate = 0.0
