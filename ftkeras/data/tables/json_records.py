"""JSON: an object per line, or one array of objects."""

import json
import pathlib
from collections.abc import Iterator

from ftkeras.data.tables import opening
from ftkeras.data.tables.table import Row
from ftkeras.errors import UserError


class JsonRecords:
    """A file of JSON objects whose keys are the columns, one per line or in one array.

    An object may lack a key; its value is then None. Lines are streamed; an array is read whole.

    Source: https://jsonlines.org.

    Args:
        path: the file.
        encoding: None to detect it.

    Raises:
        UserError: if it is empty, or not JSON objects.
    """

    def __init__(self, path: pathlib.Path, *, encoding: str | None = None):
        self.path, self.name, self.schema = path, str(path), None
        self.encoding = opening.find_encoding(path, encoding)
        with opening.open_text(path, self.encoding) as file:
            start = file.read(4096).lstrip()
        self._is_array = start.startswith("[")
        columns: dict[str, None] = {}
        for _, record in self._objects():
            columns |= dict.fromkeys(record)
        if not columns:
            raise UserError(f"`data`: {self.name!r} holds no JSON objects.")
        self.columns = tuple(columns)
        layout = "a JSON array" if self._is_array else "JSON lines"
        self.notes = (layout, f"encoding {self.encoding}")

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Yield (line, values), each value as JSON has it; of an array, its number from 1."""
        for line, record in self._objects():
            yield line, tuple(map(record.get, self.columns))

    def _objects(self) -> Iterator[tuple[int, dict]]:
        with opening.open_text(self.path, self.encoding, newline="\n") as file:
            if self._is_array:
                pairs = enumerate(self._parse(1, file.read()), start=1)
            else:
                lines = ((number, line) for number, line in enumerate(file, 1) if line.strip())
                pairs = ((number, self._parse(number, line)) for number, line in lines)
            for number, record in pairs:
                if not isinstance(record, dict):
                    raise self._wrong(number, f"not a JSON object: {str(record)[:60]!r}")
                yield number, record

    def _parse(self, line: int, text: str):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self._wrong(line, f"not JSON ({error})") from error

    def _wrong(self, line: int, what: str) -> UserError:
        place = "item" if self._is_array else "line"
        return UserError(f"`data`: {place} {line} of {self.name!r} is {what}.")
