import csv
import io
import pathlib
import time

import keras

from ftkeras.support import files


class History(keras.callbacks.Callback):
    """Writes history.csv, a row an epoch, whole after each; without a path it only keeps them.

    Columns: epoch (from 1), training and validation figures, the rate of the epoch's last update,
    and seconds, validation included.
    """

    def __init__(self, path: pathlib.Path | None):
        super().__init__()
        self.path, self.rows = path, []
        self._before, self._began = 0.0, None

    def state(self) -> dict:
        """What a checkpoint keeps of it."""
        return {"rows": self.rows, "seconds": self._seconds()}

    def restore_state(self, state: dict) -> None:
        """Goes on from what `state` gave."""
        self.rows, self._before = state["rows"], state["seconds"]

    def on_epoch_begin(self, epoch, logs=None):
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = self._seconds()
        self._before, self._began = 0.0, None
        figures = {name: float(value) for name, value in logs.items()}
        rate = float(self.model.optimizer.rate_of_last_update())
        self.rows.append(
            {"epoch": epoch + 1, **figures, "learning_rate": rate, "seconds": round(seconds, 3)}
        )
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(self.rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        if self.path is not None:
            files.write_text(self.path, text.getvalue())

    def _seconds(self) -> float:
        """Of this epoch so far, where it was gone on with those before the stop too."""
        return self._before + (time.perf_counter() - self._began if self._began else 0.0)
