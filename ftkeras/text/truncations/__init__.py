"""Truncations: which part of a text that is too long is kept, one way per file."""

from typing import Any, Protocol

import tensorflow as tf

from ftkeras.support import lazy

__all__ = ["Truncation"]


class Truncation(Protocol):
    """The interface of a truncation.

    Attributes:
        cuts_windows: whether it cuts a text into windows instead, with a method `cut`.
        cut_side: the side of a text, or of a window, that it drops: right, left or neither, None.
    """

    cuts_windows: bool

    @property
    def cut_side(self) -> str | None: ...

    def __call__(self, pieces: tf.RaggedTensor, limit: int | tf.Tensor) -> tf.RaggedTensor:
        """Shorten each text to a limit.

        Args:
            pieces: ragged [batch, (pieces)].
            limit: integer () or [batch], the most pieces of a text; not negative.

        Returns:
            Ragged [batch, (min(pieces, limit))].
        """
        ...

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        ...


__getattr__, __dir__ = lazy.attach(__name__)
