"""The metrics of each epoch."""

import csv
import io
import pathlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ftkeras.support import files
from ftkeras.training.callback import Callback


class History(Callback):
    """Record the metrics of each epoch, and rewrite history.csv after each.

    Columns: epoch (from 1), training and validation metrics, the learning rate of the epoch's last
    update, and seconds, validation included.

    Args:
        path: the file; None to keep the rows in memory only.
    """

    def __init__(self, path: pathlib.Path | None):
        super().__init__()
        self.path = path
        self.rows: list[dict] = []
        self._seconds_before, self._epoch_start = 0.0, None

    def state(self) -> dict:
        """Return the state to save in a checkpoint."""
        return {"rows": self.rows, "seconds": self._seconds()}

    def restore_state(self, state: dict) -> None:
        """Resume from what `state` returned."""
        self.rows, self._seconds_before = state["rows"], state["seconds"]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch_start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = self._seconds()
        self._seconds_before, self._epoch_start = 0.0, None
        metrics = {name: float(value) for name, value in logs.items()}
        learning_rate = float(self.model.optimizer.last_learning_rate())
        last = {"learning_rate": learning_rate, "seconds": round(seconds, 3)}
        self.rows.append({"epoch": epoch + 1, **metrics, **last})
        if self.path is not None:
            write_table(self.path, self.rows)

    def _seconds(self) -> float:
        """Return the epoch's seconds so far, those before an interruption included."""
        if self._epoch_start is None:
            return self._seconds_before
        return self._seconds_before + time.perf_counter() - self._epoch_start


def write_table(path: pathlib.Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of the same columns, at least one, as a CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    files.write_text(path, text.getvalue())
