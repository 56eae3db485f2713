"""The base class of the trackers."""

import pathlib
from collections.abc import Mapping
from typing import ClassVar

from ftkeras.support import bounds

# How a run ended.
FINISHED, INTERRUPTED, FAILED = "finished", "interrupted", "failed"


class Tracker:
    """Record the metrics of a run while it trains.

    A subclass implements `start`, `log` and `close`, and imports its package in `start`.

    Args:
        run_dir: the run's folder.
        name: the name of the task or file, under which runs are kept.
        every: optimizer updates between two records of training; positive.

    Attributes:
        package: what must be installed; also the name of the extra. None for nothing.

    Raises:
        ValueError: `every` is not positive.
    """

    package: ClassVar[str | None] = None

    def __init__(self, run_dir: pathlib.Path, name: str, *, every: int = 10):
        bounds.integer(1, every=every)
        self.run_dir, self.name, self.every = run_dir, name, every

    def start(self, flags: Mapping[str, str], *, resume: str | None, step: int) -> str | None:
        """Start to record a run, or go on with one that was interrupted.

        Args:
            flags: the run's settings by name.
            resume: what `start` returned when the run started; None for a new run.
            step: updates made so far. What is recorded of later ones comes again.

        Returns:
            The id of the tracker's own run, to be passed to `start` when the run is resumed; None
            if there is none.
        """
        raise NotImplementedError

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Record metrics by name; those of validation start with `val_`.

        Args:
            metrics: finite or not.
            step: optimizer updates made so far; positive.
        """
        raise NotImplementedError

    def close(self, status: str) -> None:
        """End the recording; `status` is `FINISHED`, `INTERRUPTED` or `FAILED`."""
        raise NotImplementedError
