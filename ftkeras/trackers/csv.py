"""A table in the run's folder."""

import csv
import io
import pathlib
from collections.abc import Iterable, Mapping

from ftkeras.support import files
from ftkeras.trackers._base import Tracker

FILE = "steps.csv"


class Csv(Tracker):
    """Write steps.csv to the run's folder, with one row per record and one column per metric.

    A cell is empty where a metric was not recorded; validation metrics appear once per epoch. A
    resumed run first removes the rows after its checkpoint.

    Args:
        run_dir: the run's folder.
        name: the name of the task or file, under which runs are kept.
        every: number of optimizer updates between two records of training; positive.

    Raises:
        ValueError: if `every` is not positive.
    """

    def __init__(self, run_dir: pathlib.Path, name: str, *, every: int = 10):
        super().__init__(run_dir, name, every=every)
        self.path = run_dir / FILE
        self._columns: list[str] = []

    def start(self, flags: Mapping[str, str], *, resume: str | None, step: int) -> None:
        rows = [row for row in self._rows() if int(row["step"]) <= step]
        self._columns = list(rows[0]) if rows else ["step"]
        self._write(rows)

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        if new := [name for name in metrics if name not in self._columns]:
            rows = self._rows()
            self._columns += new
            self._write(rows)
        with self.path.open("a", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, self._columns, lineterminator="\n")
            writer.writerow({"step": step, **metrics})

    def close(self, status: str) -> None:
        """Do nothing: each row is already in the file."""

    def _rows(self) -> list[dict[str, str]]:
        if not self.path.exists():
            return []
        with self.path.open(encoding="utf-8", newline="") as stream:
            # A killed process may have left half a row.
            return [row for row in csv.DictReader(stream) if None not in row.values()]

    def _write(self, rows: Iterable[Mapping[str, str]]) -> None:
        lines = [self._columns, *([row.get(name, "") for name in self._columns] for row in rows)]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(lines)
        files.write_text(self.path, text.getvalue())
