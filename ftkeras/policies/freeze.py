from ftkeras.policies import _layers
from ftkeras.policies._base import TRAINS, Policy
from ftkeras.support import bounds


class Freeze(Policy):
    """The lowest parts of the encoder stay as they are; what is above them trains.

    trains: layer_i for i >= layers, pooler, head

    Below the lowest part that trains nothing is differentiated, so frozen parts cost no backward
    pass; with `embeddings=False` gradients still go all the way down, and only the frozen kernels'
    own are saved. Dropout stays on. Source: Lee et al., 2019, https://arxiv.org/abs/1911.03090.

    Args:
        embeddings: whether the embeddings, with their LayerNorm, are frozen.
        layers: how many of the lowest layers are frozen; at least 0, at most the encoder's.

    Raises:
        ValueError: naming the argument, its bound and the value received; in `prepare`, for more
            layers than the encoder has.
    """

    decides = TRAINS

    def __init__(self, *, embeddings: bool = True, layers: int = 6):
        bounds.boolean(embeddings=embeddings)
        bounds.integer(0 if embeddings else 1, layers=layers)
        self.embeddings, self.layers = embeddings, layers

    def prepare(self, model) -> None:
        encoder = model.encoder
        _layers.must_have(encoder, self.layers)
        for part in encoder.blocks[: self.layers]:
            part.trainable = False
        if self.embeddings:
            encoder.embeddings.trainable = False
