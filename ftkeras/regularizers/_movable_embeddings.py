"""The embeddings of an encoder inside a Keras model, which can be moved."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from keras import ops

from ftkeras.support.in_keras import InKeras

Tensor = Any


class MovableEmbeddings:
    """The summed embeddings of a model's encoder: their shape, and an offset for further passes.

    A Keras model passes no `embedding_offset` to its encoder, so a hook adds it. Each replica
    traces its step in a thread of its own, so each thread has its own state.

    Args:
        model: as `in_keras` returns it.

    Raises:
        ValueError: another part already changes the embeddings.
    """

    def __init__(self, model: InKeras):
        model.encoder.hooks.add_embedding_hook(self._move)
        self._here = threading.local()

    @property
    def shape(self) -> Any:
        """(batch, length, hidden) of the latest training pass.

        Raises:
            ValueError: there was none.
        """
        _must_be_one(1 if hasattr(self._here, "shape") else 0)
        return self._here.shape

    @property
    def padding_mask(self) -> Tensor:
        """[batch, length], 1 for tokens, of the latest training pass."""
        return self._here.padding_mask

    @contextlib.contextmanager
    def moved(self, offset: Tensor) -> Iterator[None]:
        """Add an offset to the embeddings in the training pass that is made in this context.

        Raises:
            ValueError: the pass does not call the encoder exactly once.
        """
        self._here.offset, self._here.moves = offset, 0
        try:
            yield
            _must_be_one(self._here.moves)
        finally:
            self._here.offset = None

    def forget(self) -> None:
        """Forget the latest pass, whose tensors belong to the graph of its step."""
        self._here.__dict__.clear()

    def _move(self, x: Tensor, padding_mask: Tensor) -> Tensor:
        here = self._here
        here.shape = ops.shape(x)
        here.padding_mask = ops.ones(here.shape[:2]) if padding_mask is None else padding_mask
        offset = getattr(here, "offset", None)
        if offset is None:
            return x
        here.moves += 1
        return x + ops.cast(offset, x.dtype)


def _must_be_one(calls: int) -> None:
    if calls != 1:
        raise ValueError(
            "The model must call its encoder once in a training pass, with `training=True`, for a "
            f"regularizer that moves the embeddings. Received: {calls} calls."
        )
