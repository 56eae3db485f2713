"""Functions on an encoder's parts that several policies use."""

import re
from typing import Any

from ftkeras.support.protocols import Encoder, EncoderPart


def body(encoder: Encoder) -> list[EncoderPart]:
    """Return the embeddings and the layers, the lowest first, without the pooler."""
    return [encoder.embeddings, *encoder.blocks]


def pooler_weights(encoder: Encoder) -> list[Any]:
    """Return the pooler's variables; none if there is no pooler."""
    return [] if encoder.pool is None else encoder.pool.weights


def freeze(encoder: Encoder, *, pooler: bool) -> None:
    """Freeze the embeddings and the layers.

    Args:
        encoder: is changed.
        pooler: whether the pooler, if there is one, still trains.
    """
    for part in body(encoder):
        part.trainable = False
    if encoder.pool is not None and not pooler:
        encoder.pool.trainable = False


def check_count(encoder: Encoder, layers: int) -> None:
    """Raise ValueError if the encoder has fewer layers than a policy asks for."""
    if layers > len(encoder.blocks):
        raise ValueError(
            f"`layers` must be at most {len(encoder.blocks)}, the encoder's number of layers. "
            f"Received: {layers}."
        )


def falling_rates(encoder: Encoder, decay: float) -> list[tuple[str, float]]:
    """Return the multipliers decay^depth, with depth 0 for the top layer, for parts that train."""
    return [
        (f"^{re.escape(part.path)}/", decay**depth)
        for depth, part in enumerate(reversed(body(encoder)))
        if part.trainable_variables
    ]


def check_any_trains(encoder: Encoder) -> None:
    """Raise ValueError if the embeddings and all layers are frozen."""
    if not any(part.trainable_variables for part in body(encoder)):
        raise ValueError(
            "sets the learning rates of the encoder's layers, but another policy freezes all of "
            "them."
        )
