"""Stochastic weight averaging."""

from typing import Any

from ftkeras.averages._base import WeightAverage
from ftkeras.support import bounds


class Swa(WeightAverage):
    """Average the weights after each of the last epochs: stochastic weight averaging.

    average <- average + (weights - average) / n          n epochs, this one included

    An epoch counts if it ends after the share `start` of the run. Until then, the weights
    themselves are evaluated and saved. Use a schedule whose learning rate does not fall to 0,
    because otherwise the weights hardly differ.

    Source: Izmailov et al., 2018, algorithm 1, https://arxiv.org/abs/1803.05407.

    Args:
        epochs: epochs of the run; at least 2. None for those that `fit` trains.
        start: share of the run that is not averaged; at least 0, and below the share at which the
            second-to-last epoch ends.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
            Without `epochs`, `fit` raises it.

    >>> Swa(epochs=4, start=0.5).start
    0.5
    """

    def __init__(self, *, epochs: int | None = None, start: float = 0.5):
        bounds.share(start=start)
        if epochs is not None:
            _check(epochs, start)
        super().__init__()
        self.epochs, self.start, self._given = epochs, start, epochs
        self._is_sampled = False

    def state(self) -> dict:
        """Return the state to save beside the variables: whether they have these weights."""
        return {"is_sampled": self._is_sampled}

    def restore_state(self, state: dict) -> None:
        """Resume from what `state` returned."""
        self._is_sampled = state["is_sampled"]

    def on_train_begin(self, logs: Any = None) -> None:
        if self._given is None:  # the present `fit`'s
            self.epochs = int((self.params or {})["epochs"])
            _check(self.epochs, self.start)
        super().on_train_begin(logs)

    def share(self, count: Any) -> Any:
        return 1 / count

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        super().on_epoch_begin(epoch, logs)
        assert self.epochs is not None  # `on_train_begin` has set it
        self._epoch_end = (epoch + 1) / self.epochs

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._is_sampled = False

    def on_epoch_trained(self) -> None:
        # Only once: a run that was stopped in validation resumes before it, with the sample.
        if self._epoch_end > self.start and not self._is_sampled:
            self.take_sample()
            self._is_sampled = True


def _check(epochs: int, start: float) -> None:
    """Raise ValueError unless two epochs at least are averaged."""
    bounds.integer(2, epochs=epochs)
    if start >= 1 - 1 / epochs:
        raise ValueError(
            f"`start` must be at least 0 and below {1 - 1 / epochs:.4g}, so that two of "
            f"{epochs} epochs are averaged. Received: {start}."
        )
