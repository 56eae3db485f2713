"""Files of JSON objects, one per line."""

import json
from collections.abc import Iterator
from typing import Any

from ftkeras.data.sources.table import Table


class Jsonl(Table):
    """A `.jsonl` file: one JSON object per line, whose keys are the columns.

    Source: https://jsonlines.org.

    Args:
        path: the file.
        text, label, pair, labels: as in `Table`.
    """

    def rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield (line number, object) for each line that is not blank."""
        with open(self._path, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
            for line, record in enumerate(file, start=1):
                if record.strip():
                    yield line, self._parse(line, record)

    def _parse(self, line: int, record: str) -> dict[str, Any]:
        try:
            row = json.loads(record)
        except (ValueError, RecursionError) as error:
            raise self._error(line, f"not JSON ({error})") from error
        if not isinstance(row, dict):
            raise self._error(line, f"not a JSON object. Received: {record.strip()[:60]!r}")
        return row
