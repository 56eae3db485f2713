"""Freeze the lowest layers, or the variables that a pattern names."""

import re

import keras

from ftkeras.policies import _layers
from ftkeras.policies._base import TRAINS, Policy
from ftkeras.support import bounds
from ftkeras.support.protocols import Model


class Freeze(Policy):
    """Freeze the lowest layers of the encoder and train those above them.

    trains: layer_i for i >= layers, pooler, head

    No gradients are computed below the lowest part that trains, so frozen parts cost no backward
    pass. With `embeddings=False` gradients still go all the way down, and only those of the frozen
    kernels are saved. Dropout stays on.
    Source: Lee et al., 2019, https://arxiv.org/abs/1911.03090.

    Args:
        pattern: regular expression; the variables of the encoder whose path it matches somewhere
            are frozen instead, such as `embeddings|layer_[0-5]/`. None for `embeddings` and
            `layers`.
        embeddings: whether to freeze the embeddings and their LayerNorm.
        layers: the number of layers to freeze, from the lowest up; at least 0 (1 if the embeddings
            train), at most the encoder's.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
            In `prepare`: if the encoder has fewer layers.

    >>> from types import SimpleNamespace
    >>> from ftkeras.encoders.bert import Bert
    >>> encoder = Bert(vocabulary_size=30, layers=2, hidden=8, heads=2, seed=1)
    >>> Freeze(layers=1).prepare(SimpleNamespace(encoder=encoder))
    >>> sorted({v.path.split("/")[1] for v in encoder.trainable_variables})
    ['layer_1', 'pooler']
    """

    decides = TRAINS

    def __init__(self, pattern: str | None = None, *, embeddings: bool = True, layers: int = 6):
        if pattern is not None:
            bounds.regular_expression(pattern=pattern)
        bounds.boolean(embeddings=embeddings)
        bounds.integer(0 if embeddings else 1, layers=layers)
        self.pattern, self.embeddings, self.layers = pattern, embeddings, layers

    def apply(self, model: keras.Model) -> None:
        """Freeze variables of any Keras model; with a pattern, it needs no encoder of ours.

        Call it after the model has its variables, and before `compile`. It is not part of a
        `.keras` file: apply it again to a model that was loaded and is to be trained further.

        Raises:
            ValueError: nothing matches the pattern; or, without one, as other policies.
        """
        if self.pattern is None:
            super().apply(model)
            return
        _freeze_matches(self.pattern, model.weights)
        model.train_function = None

    def merge(self, model: keras.Model) -> None:
        """Do nothing: freezing adds nothing to a model."""

    def prepare(self, model: Model) -> None:
        encoder = model.encoder
        if self.pattern is not None:
            _freeze_matches(self.pattern, encoder.weights)
            return
        _layers.check_count(encoder, self.layers)
        for part in encoder.blocks[: self.layers]:
            part.trainable = False
        if self.embeddings:
            encoder.embeddings.trainable = False


def _freeze_matches(pattern: str, variables: list[keras.Variable]) -> None:
    """Freeze the variables whose path a pattern matches.

    Raises:
        ValueError: there are none.
    """
    matches = [variable for variable in variables if re.search(pattern, variable.path)]
    if not matches:
        paths = ", ".join(variable.path for variable in variables[:3])
        raise ValueError(
            f"`pattern` must match the path of a variable. Received: {pattern!r}; there are "
            f"{len(variables)} variables: {paths}, …"
        )
    for variable in matches:
        variable.trainable = False
