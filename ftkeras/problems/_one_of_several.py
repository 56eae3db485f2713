"""Shared members of the problems whose outputs are the logits of a softmax."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ftkeras.problems._base import Problem
from ftkeras.problems._doubt import doubt_interval
from ftkeras.statistics.significance import wilson

if TYPE_CHECKING:
    import keras

Tensor = Any


class OneOfSeveral(Problem):
    """A problem each of whose answers is one of several: classes, tags of a word, or options."""

    def epoch_metrics(self) -> "list[keras.metrics.Metric]":
        import keras

        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def divergence(self, outputs: Tensor, others: Tensor) -> Tensor:
        from ftkeras.support.divergence import symmetric_divergence

        return symmetric_divergence(outputs, others)

    def entropy(self, outputs: Tensor) -> Tensor:
        from ftkeras.support.divergence import entropy

        return entropy(outputs)

    def soft_loss(self, outputs: Tensor, answers: Tensor, temperature: float) -> Tensor:
        from ftkeras.support.divergence import soft_cross_entropy

        return soft_cross_entropy(outputs, answers, temperature)


def doubt(metrics: Mapping[str, Any]) -> str | None:
    """Return a sentence if the interval of a split's accuracy is wide, or None.

    >>> doubt({"accuracy": 0.9, "examples": 40})
    'its accuracy of 0.900 may be anything from 0.769 to 0.960'
    """
    accuracy = metrics["accuracy"]
    return doubt_interval("accuracy", accuracy, *wilson(accuracy, metrics["examples"]))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the probabilities, [examples, classes]."""
    from scipy.special import softmax

    return softmax(logits, axis=1)
