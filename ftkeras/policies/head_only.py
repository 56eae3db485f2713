"""Train the head on fixed features."""

from ftkeras.policies import _layers
from ftkeras.policies._base import TRAINS, Policy
from ftkeras.support import bounds
from ftkeras.support.protocols import Model


class HeadOnly(Policy):
    """Freeze the encoder and train the head on its features.

    trains: head, pooler

    The encoder's dropout is off in training, so that features depend only on the text. The head's
    dropout stays on. The pooler counts as the head's first layer and trains with it. Many
    checkpoints have no pooler; it then starts from random weights.
    Source: Devlin et al., 2019, section 5.3, https://arxiv.org/abs/1810.04805. They put a BiLSTM on
    several layers; here it is the run's head on the last layer.

    Args:
        pooler: whether the pooler, if there is one, trains.
        dropout: whether the encoder's dropout stays on in training.

    Raises:
        ValueError: if an argument is neither True nor False. The message names it and the value.

    >>> from types import SimpleNamespace
    >>> from ftkeras.encoders.bert import Bert
    >>> encoder = Bert(vocabulary_size=30, layers=2, hidden=8, heads=2, seed=1)
    >>> HeadOnly().prepare(SimpleNamespace(encoder=encoder))
    >>> sorted({v.path.split("/")[1] for v in encoder.trainable_variables})
    ['pooler']
    """

    decides = TRAINS
    rate_factor = 10.0

    def __init__(self, *, pooler: bool = True, dropout: bool = False):
        bounds.boolean(pooler=pooler, dropout=dropout)
        self.pooler, self.dropout = pooler, dropout

    def prepare(self, model: Model) -> None:
        _layers.freeze(model.encoder, pooler=self.pooler)
        if not self.dropout:
            for part in _layers.body(model.encoder):
                part.disable_dropout()
