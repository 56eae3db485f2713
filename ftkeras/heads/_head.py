"""The base class of heads."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras


class Head(keras.layers.Layer):
    """Defaults of the optional members of `ftkeras.support.protocols.Head`."""

    per_token, whole_texts, needs_vocabulary = False, False, False
    losses: ClassVar[tuple[str, ...]] = ()
    regularizers: ClassVar[Mapping[str, str]] = {}
    own_part: str | None = None
    transitions: Any = None

    @property
    def multipliers(self) -> Sequence[tuple[str, float]]:
        """Pairs of a regular expression on variable paths and a factor on the learning rate."""
        return ()
