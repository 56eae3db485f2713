"""Compare predictions of where an answer starts and ends."""

from typing import Any

from ftkeras.problems._base import Problem

Tensor = Any


class StartAndEnd(Problem):
    """A problem whose outputs are two softmaxes over the tokens of a row, [rows, length, 2]."""

    def divergence(self, outputs: Tensor, others: Tensor) -> Tensor:
        """Return the mean of the symmetric divergences of start and end."""
        from ftkeras.support.divergence import symmetric_divergence

        return _mean(symmetric_divergence(_by_end(outputs), _by_end(others)))

    def entropy(self, outputs: Tensor) -> Tensor:
        """Return the mean of the entropies of start and end."""
        from ftkeras.support.divergence import entropy

        return _mean(entropy(_by_end(outputs)))

    def soft_loss(self, outputs: Tensor, answers: Tensor, temperature: float) -> Tensor:
        """Return the mean of the cross-entropies of start and end.

        `answers` are probabilities, [rows, length, 2]; 0 where a row has no token.
        """
        from ftkeras.support.divergence import soft_cross_entropy

        return _mean(soft_cross_entropy(_by_end(outputs), _by_end(answers), temperature))


def _by_end(values: Tensor) -> Tensor:
    """Return [rows, 2, length]."""
    from keras import ops

    return ops.swapaxes(values, 1, 2)


def _mean(values: Tensor) -> Tensor:
    from keras import ops

    return ops.mean(values, axis=-1)
