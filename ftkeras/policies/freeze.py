"""Freeze the lowest layers."""

from ftkeras.policies import _layers
from ftkeras.policies._base import TRAINS, Policy
from ftkeras.support import bounds
from ftkeras.support.protocols import Model


class Freeze(Policy):
    """Freeze the lowest parts of the encoder and train what is above them.

    trains: layer_i for i >= layers, pooler, head

    No gradients are computed below the lowest part that trains, so frozen parts cost no backward
    pass. With `embeddings=False` gradients still go all the way down, and only those of the frozen
    kernels are saved. Dropout stays on.
    Source: Lee et al., 2019, https://arxiv.org/abs/1911.03090.

    Args:
        embeddings: whether to freeze the embeddings and their LayerNorm.
        layers: the number of layers to freeze, from the lowest up; at least 0 (1 if the embeddings
            train), at most the encoder's.

    Raises:
        ValueError: an argument is out of bounds; names it, the bound and the value. In `prepare`:
            the encoder has fewer layers.

    >>> from types import SimpleNamespace
    >>> from ftkeras.encoders.bert import Bert
    >>> encoder = Bert(vocabulary_size=30, layers=2, hidden=8, heads=2, seed=1)
    >>> Freeze(layers=1).prepare(SimpleNamespace(encoder=encoder))
    >>> sorted({v.path.split("/")[1] for v in encoder.trainable_variables})
    ['layer_1', 'pooler']
    """

    decides = TRAINS

    def __init__(self, *, embeddings: bool = True, layers: int = 6):
        bounds.boolean(embeddings=embeddings)
        bounds.integer(0 if embeddings else 1, layers=layers)
        self.embeddings, self.layers = embeddings, layers

    def prepare(self, model: Model) -> None:
        encoder = model.encoder
        _layers.check_count(encoder, self.layers)
        for part in encoder.blocks[: self.layers]:
            part.trainable = False
        if self.embeddings:
            encoder.embeddings.trainable = False
