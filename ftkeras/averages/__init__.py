"""Averages of a run's weights, one in each file. The average is evaluated, saved and exported.

An average is a Keras callback. What all share (the variables of the average, and when the model
holds it) is in `WeightAverage`. A part defines when a sample is taken and how much it counts.
"""

from contextlib import AbstractContextManager
from typing import Any, Protocol

import keras

from ftkeras.support import lazy

__all__ = ["Average"]


class Average(Protocol):
    """The interface of an average, in addition to that of a Keras callback."""

    @property
    def variables(self) -> list[keras.Variable]:
        """Return the state, which a checkpoint saves."""
        ...

    def raw_weights(self) -> AbstractContextManager[None]:
        """Return a context in which the model holds the weights that are trained."""
        ...


def __getattr__(name: str) -> Any:
    """Import the file of a part when its class is first used, as in `averages.Ema`."""
    return lazy.find_class(__name__, __path__, name)


def __dir__() -> list[str]:
    return [*__all__, *lazy.class_names(__path__)]
