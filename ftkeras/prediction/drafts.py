"""Files of answers that are being written, and can be continued after an interruption."""

import base64
import csv
import io
import json
import math
import os
import pathlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from ftkeras.data.tables.table import Row
from ftkeras.errors import UserError
from ftkeras.prediction.inputs import Inputs

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# Rows that a Parquet file compresses together, and that are read at once.
_ROW_GROUP = 1 << 16


class Draft(Protocol):
    """Rows that are being written in some format. What was appended stays after a crash."""

    def append(self, rows: Sequence[Row]) -> int:
        """Append rows, and return the position behind them, from which writing can continue."""
        ...

    def finish(self) -> pathlib.Path:
        """Return the finished file."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


def open_draft(
    suffix: str,
    folder: pathlib.Path,
    inputs: Inputs,
    answers: Mapping[str, type],
    position: int | None = None,
) -> Draft:
    """Open a draft.

    Args:
        suffix: of the file: .csv, .jsonl or .parquet.
        folder: where the draft is kept.
        inputs: what is answered; its columns come first.
        answers: the columns of the answers, str, float or int by name.
        position: where to continue; None to start.

    Raises:
        UserError: if rows before this position are missing.
    """
    columns = (*inputs.columns, *answers)
    if suffix == ".parquet":
        return _Parts(folder, _schema(inputs, answers), position or 0)
    lines = _Lines(folder / f"rows{suffix}", _as_csv if suffix == ".csv" else _AsJson(columns))
    if position is not None:
        lines.truncate(position)
    elif suffix == ".csv":
        lines.append([columns])
    return lines


class _Lines:
    """Rows as lines of a text file; a position is a number of bytes.

    Args:
        path: the file.
        format: returns rows as lines.
    """

    def __init__(self, path: pathlib.Path, format: Any):
        self._path, self._format = path, format
        self._file = path.open("ab")

    def truncate(self, position: int) -> None:
        """Delete what is behind a position.

        Raises:
            UserError: if the file is shorter.
        """
        if self._file.tell() < position:
            self._file.close()
            raise _missing(self._path)
        self._file.truncate(position)

    def append(self, rows: Sequence[Row]) -> int:
        self._file.write(self._format(rows).encode())
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def finish(self) -> pathlib.Path:
        self.close()
        return self._path

    def close(self) -> None:
        self._file.close()


class _Parts:
    """Rows as Parquet files, which are merged at the end; a position is a number of files.

    Args:
        folder: of the files.
        schema: of the rows.
        position: how many files are kept.
    """

    def __init__(self, folder: pathlib.Path, schema: Any, position: int):
        self._folder, self._schema, self._count = folder, schema, position
        for path in self._paths():
            if not path.is_file():
                raise _missing(path)

    def append(self, rows: Sequence[Row]) -> int:
        import pyarrow as arrow
        import pyarrow.parquet

        columns = zip(*rows, strict=True)
        arrays = [_array(v, f.type, arrow) for v, f in zip(columns, self._schema, strict=True)]
        table = arrow.table(arrays, schema=self._schema)
        with self._path(self._count).open("wb") as file:
            pyarrow.parquet.write_table(table, file)
            file.flush()
            os.fsync(file.fileno())
        self._count += 1
        return self._count

    def finish(self) -> pathlib.Path:
        import pyarrow as arrow
        import pyarrow.parquet

        merged = self._folder / "merged.parquet"
        with pyarrow.parquet.ParquetWriter(merged, self._schema) as writer:
            waiting, count = [], 0
            for path in self._paths():
                waiting.append(pyarrow.parquet.ParquetFile(path).read())
                count += len(waiting[-1])
                if count >= _ROW_GROUP:
                    writer.write_table(arrow.concat_tables(waiting), _ROW_GROUP)
                    waiting, count = [], 0
            if waiting:
                writer.write_table(arrow.concat_tables(waiting), _ROW_GROUP)
        return merged

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _paths(self) -> Iterator[pathlib.Path]:
        return map(self._path, range(self._count))

    def _path(self, number: int) -> pathlib.Path:
        return self._folder / f"part-{number:06}.parquet"


def _missing(path: pathlib.Path) -> UserError:
    return UserError(
        f"`resume`: {path} has lost answers; delete {path.parent} to start from the beginning."
    )


def _as_csv(rows: Sequence[Row]) -> str:
    lines = []
    for row in rows:
        line = io.StringIO(newline="")
        # Only the characters of the line's end make csv quote a field; readers end rows at both.
        csv.writer(line, lineterminator="\r\n").writerow([_as_text(value) for value in row])
        lines.append(line.getvalue().removesuffix("\r\n") + "\n")
    return "".join(lines)


class _AsJson:
    """Format rows as JSON lines; the names are those of the columns."""

    def __init__(self, names: Sequence[str]):
        self._names = names

    def __call__(self, rows: Sequence[Row]) -> str:
        return "".join(_as_json(dict(zip(self._names, r, strict=True))) + "\n" for r in rows)


def _schema(inputs: Inputs, answers: Mapping[str, type]) -> Any:
    """Keep the types of a Parquet or Arrow input; of other inputs, all columns are text."""
    import pyarrow as arrow

    if inputs.schema is None:
        kept = [arrow.field(valid(name), arrow.string()) for name in inputs.columns]
    else:
        kept = list(inputs.schema)
    types = {str: arrow.string(), float: arrow.float32(), int: arrow.int64()}
    added = [arrow.field(valid(name), types[kind]) for name, kind in answers.items()]
    return arrow.schema([*kept, *added])


def _array(values: Sequence[Any], kind: Any, arrow: Any) -> Any:
    if kind == arrow.string():
        values = [None if value is None else _as_text(value) for value in values]
    return arrow.array(values, type=kind)


def _as_text(value: Any) -> str:
    """Return a value as a cell of a CSV file; an empty one if there is none."""
    if value is None:
        return ""
    if isinstance(value, (list, dict, bool)):
        return _as_json(value)
    return valid(_of_bytes(value) if isinstance(value, bytes) else str(value))


def _as_json(value: Any) -> str:
    def plain(part: Any) -> Any:
        if isinstance(part, float) and not math.isfinite(part):
            return None
        if isinstance(part, dict):
            return {str(key): plain(item) for key, item in part.items()}
        return [plain(item) for item in part] if isinstance(part, (list, tuple)) else part

    return valid(json.dumps(plain(value), ensure_ascii=False, default=_other))


def _other(value: Any) -> str:
    """Return a value of a type that JSON lacks."""
    return _of_bytes(value) if isinstance(value, bytes) else str(value)


def _of_bytes(value: bytes) -> str:
    """Return bytes as the text that they are in UTF-8, and others in base64."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()


def valid(text: str) -> str:
    """Return a text that UTF-8 can hold: what was no valid byte in the input becomes U+FFFD."""
    return _LONE_SURROGATE.sub("\ufffd", text)
