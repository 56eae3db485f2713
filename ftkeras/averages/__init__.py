"""Averages of a run's weights, one in each file. The average is evaluated, saved and exported.

An average is a Keras callback. What all share (the variables of the average, and when the model
holds it) is in `WeightAverage`. A part defines when a sample is taken and how much it counts.
"""

from contextlib import AbstractContextManager
from typing import Protocol

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

    def average_weights(self) -> AbstractContextManager[None]:
        """Return a context in which, within an epoch, the model holds the other weights."""
        ...


__getattr__, __dir__ = lazy.attach(__name__)
