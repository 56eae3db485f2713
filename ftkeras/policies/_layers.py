"""The encoder's parts from the lowest up, as policies choose among them."""

import re


def body(encoder) -> list:
    """Embeddings and layers, the lowest first; the pooler stands above, beside the head."""
    return [encoder.embeddings, *encoder.blocks]


def freeze(encoder, *, pooler: bool) -> None:
    """Freezes embeddings and layers, and the pooler where it is not to train."""
    parts = body(encoder)
    if encoder.pool is not None and not pooler:
        parts.append(encoder.pool)
    for part in parts:
        part.trainable = False


def must_have(encoder, layers: int) -> None:
    """Raises ValueError where the encoder has fewer layers than are asked for."""
    if layers > len(encoder.blocks):
        raise ValueError(
            f"`layers` must be at most {len(encoder.blocks)}, the layers that the encoder has. "
            f"Received: {layers}."
        )


def falling_rates(encoder, decay: float) -> list[tuple[str, float]]:
    """Multipliers decay^depth, depth 0 the top layer; parts that are frozen have none."""
    return [
        (f"^{re.escape(part.path)}/", decay**depth)
        for depth, part in enumerate(reversed(body(encoder)))
        if part.trainable_variables
    ]


def must_learn(encoder) -> None:
    """Raises ValueError where all of embeddings and layers are frozen."""
    if not any(part.trainable_variables for part in body(encoder)):
        raise ValueError(
            "sets the rates of the encoder's layers, but another policy keeps them all frozen."
        )
