"""Losses: what training minimizes, one in each file.

A loss is a `keras.losses.Loss`. From the answers [batch, …] and the model's outputs [batch,
outputs] its `call` computes one number for each example, [batch]; Keras averages over the examples.
Its arguments come from the spec. A problem names the losses that fit it.
"""

from typing import Any

from ftkeras.support import lazy


def __getattr__(name: str) -> Any:
    """Import the file of a part when its class is first used, as in `losses.Focal`."""
    return lazy.find_class(__name__, __path__, name)


def __dir__() -> list[str]:
    return list(lazy.class_names(__path__))
