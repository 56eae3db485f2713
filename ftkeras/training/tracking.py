"""Record metrics elsewhere while a run trains."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ftkeras.training.callback import Callback
from ftkeras.training.protocols import Feed

log = logging.getLogger(__name__)


class Records(Protocol):
    """A recorder of metrics, such as one of `ftkeras.trackers`.

    Attributes:
        every: updates between two records of training.
    """

    every: int

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Record metrics by name after the given number of updates."""
        ...


class Tracking(Callback):
    """Pass metrics to trackers: loss, learning rate and gradient norm; after an epoch, all of it.

    The loss and metrics of training are means over the epoch so far, as on the progress bar. The
    gradient norm is the latest update's, before clipping. A tracker that fails is dropped with a
    warning, because its server may be unreachable for a while, and the training is worth more.

    Args:
        trackers: by the specs that name them, for the warning.
        feed: the training batches.
    """

    def __init__(self, trackers: Mapping[str, Records], feed: Feed):
        super().__init__()
        self.trackers, self.feed = dict(trackers), feed

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        step = self.step(batch + 1)
        if due := [spec for spec, one in self.trackers.items() if step % one.every == 0]:
            self._log({**logs, **self._of_update()}, step, due)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.trackers:
            self.log({**logs, **self._of_update(), "epoch": epoch + 1}, self.step(len(self.feed)))

    def step(self, batches: int) -> int:
        """Return the number of updates of the run after the given number of this epoch's."""
        return self._epoch * len(self.feed) + batches

    def log(self, metrics: Mapping[str, Any], step: int) -> None:
        """Record metrics with all trackers."""
        self._log(metrics, step, list(self.trackers))

    def _of_update(self) -> dict[str, Any]:
        optimizer = self.model.optimizer
        return {
            "learning_rate": optimizer.last_learning_rate(),
            "gradient_norm": optimizer.gradient_norm.numpy(),
        }

    def _log(self, metrics: Mapping[str, Any], step: int, specs: Sequence[str]) -> None:
        numbers = {name: float(value) for name, value in metrics.items()}
        for spec in specs:
            try:
                self.trackers[spec].log(numbers, step)
            except Exception as error:
                del self.trackers[spec]
                log.warning(
                    "`track`=%s failed, and records nothing more of this run: %s", spec, error
                )
