import csv
import io
import pathlib
import time

import keras

from ftkeras import files


class History(keras.callbacks.Callback):
    """Writes history.csv, a row an epoch, whole after each.

    Columns: epoch (from 1), training and validation figures, the rate of the epoch's last update,
    and seconds, validation included.
    """

    def __init__(self, path: pathlib.Path):
        super().__init__()
        self.path, self.rows = path, []

    def on_epoch_begin(self, epoch, logs=None):
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - self._began
        figures = {name: float(value) for name, value in logs.items()}
        rate = float(self.model.optimizer.rate_of_last_update())
        self.rows.append(
            {"epoch": epoch + 1, **figures, "learning_rate": rate, "seconds": round(seconds, 3)}
        )
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(self.rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        files.write_text(self.path, text.getvalue())
