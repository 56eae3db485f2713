"""A table in the run's folder."""

import csv
import io
import pathlib
from collections.abc import Iterable, Mapping

from ftkeras.support import files
from ftkeras.trackers._base import Tracker

FILE = "steps.csv"


class Csv(Tracker):
    """Write steps.csv into the run's folder: a row for each record, a column for each metric.

    A row has no value where a metric was not recorded: those of validation appear once an epoch.
    A run that is resumed removes the rows after its checkpoint before it goes on.

    Args:
        run_dir: the run's folder.
        name: what runs of this kind are filed under.
        every: optimizer updates between two records of training; positive.

    Raises:
        ValueError: `every` is not positive.
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
