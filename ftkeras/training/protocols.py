"""The interfaces of the objects that training uses."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

import keras
import numpy as np
import tensorflow as tf


@runtime_checkable
class StatefulCallback(Protocol):
    """A callback whose state a checkpoint saves."""

    def state(self) -> dict:
        """Return the state, JSON types only."""
        ...

    def restore_state(self, state: dict) -> None:
        """Resume from what `state` returned."""
        ...


@runtime_checkable
class HasVariables(Protocol):
    """An object whose variables a checkpoint saves."""

    @property
    def variables(self) -> list[keras.Variable]:
        """Return the variables, always in the same order."""
        ...


@runtime_checkable
class SwapsWeights(Protocol):
    """A callback that at times puts other weights into the model, such as their average."""

    def raw_weights(self) -> AbstractContextManager[None]:
        """Return a context in which the model holds the weights that are trained."""
        ...

    def average_weights(self) -> AbstractContextManager[None]:
        """Return a context in which, within an epoch, the model holds the other weights."""
        ...


class EvaluationFeed(Protocol):
    """The batches of a split, in order.

    Attributes:
        examples: what is evaluated.
    """

    examples: Any

    def dataset(self, *, replica: int = 0, replicas: int = 1) -> tf.data.Dataset:
        """Return the elements of a replica."""
        ...

    def in_example_order(self, rows: np.ndarray) -> Any:
        """Return rows of outputs, [rows, …], in the order of the examples, [examples, …]."""
        ...


class Feed(Protocol):
    """The batches of each epoch.

    Attributes:
        examples: what is trained on.
        ready: by position in the epoch, the time.perf_counter() at which a batch was ready.
    """

    examples: Any
    ready: dict[int, float]

    def __len__(self) -> int: ...

    def dataset(
        self, epoch: int, *, start: int = 0, replica: int = 0, replicas: int = 1
    ) -> tf.data.Dataset:
        """Return the elements of a replica from batch `start` of an epoch, both from 0."""
        ...

    def batches(self, epoch: int) -> Sequence[np.ndarray]:
        """Return the positions of the examples of each batch of an epoch."""
        ...

    def tokens(self, positions: Any = slice(None)) -> int:
        """Return the number of tokens of these examples."""
        ...
