"""Shared members of the problems whose outputs are the logits of a softmax."""

from typing import TYPE_CHECKING, Any

from ftkeras.problems._base import Problem

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
