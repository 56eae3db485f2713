"""Write the answers of a model as a file: the columns of the input, and those of the answers."""

import contextlib
import csv
import importlib.util
import json
import math
import pathlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ftkeras.data.tables.table import Row
from ftkeras.errors import UserError
from ftkeras.prediction.inputs import Inputs
from ftkeras.support import files

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

Write = Callable[[Sequence[Row]], None]


def check_output(
    output: str, inputs: Inputs, source: str | None, columns: Mapping[str, type]
) -> None:
    """Refuse a file that can't be written, before anything is answered.

    Args:
        output: the file to write.
        inputs: what is answered.
        source: the file it is read from, if any.
        columns: of the answers, from the problem.

    Raises:
        UserError: if the folder can't be written, the file is the input, a column of the input has
            the name of another one, or a package is missing.
    """
    path = pathlib.Path(output)
    files.require_writable(path.parent, "output")
    if path.is_dir():
        raise UserError(f"output={output} is a folder.")
    if source is not None and path.exists() and path.resolve() == pathlib.Path(source).resolve():
        raise UserError(f"output={output} is the input; write another file.")
    if clash := [name for name in columns if name in inputs.columns]:
        raise UserError(
            f"`output`: {source!r} has a column {clash[0]!r}, the name of a column of answers; "
            "rename it."
        )
    doubled = [name for name in inputs.columns if inputs.columns.count(name) > 1]
    if doubled and path.suffix.lower() != ".csv":
        raise UserError(
            f"`output`: {source!r} has two columns {doubled[0]!r}, which only a .csv file can hold."
        )
    if path.suffix.lower() == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise UserError("`output`: Parquet needs: pip install 'ftkeras[data]'")


@contextlib.contextmanager
def open_answers(output: str, inputs: Inputs, columns: Mapping[str, type]) -> Iterator[Write]:
    """Yield a function that appends rows to a file, which appears when it is complete.

    A row has the values of the input's columns, then those of the answer's.

    Args:
        output: the file to write.
        inputs: what is answered.
        columns: of the answers, str, float or int by name.
    """
    suffix = pathlib.Path(output).suffix.lower()
    opener = {".csv": _open_csv, ".jsonl": _open_jsonl, ".parquet": _open_parquet}[suffix]
    with files.replacing(output) as draft, opener(draft, inputs, columns) as write:
        yield write


@contextlib.contextmanager
def _open_csv(path: pathlib.Path, inputs: Inputs, answers: Mapping[str, type]) -> Iterator[Write]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(map(_as_text, (*inputs.columns, *answers)))
        yield lambda rows: writer.writerows([_as_text(value) for value in row] for row in rows)


@contextlib.contextmanager
def _open_jsonl(path: pathlib.Path, inputs: Inputs, answers: Mapping[str, type]) -> Iterator[Write]:
    names = (*inputs.columns, *answers)
    with path.open("w", encoding="utf-8", newline="\n") as file:

        def write(rows: Sequence[Row]) -> None:
            for row in rows:
                file.write(_as_json(dict(zip(names, row, strict=True))) + "\n")

        yield write


@contextlib.contextmanager
def _open_parquet(
    path: pathlib.Path, inputs: Inputs, answers: Mapping[str, type]
) -> Iterator[Write]:
    """Keep the types of a Parquet or Arrow input; of other inputs, all columns are text."""
    import pyarrow as arrow
    import pyarrow.parquet

    if inputs.schema is None:
        kept = [arrow.field(_valid(name), arrow.string()) for name in inputs.columns]
    else:
        kept = list(inputs.schema)
    types = {str: arrow.string(), float: arrow.float32(), int: arrow.int64()}
    added = [arrow.field(_valid(name), types[kind]) for name, kind in answers.items()]
    schema = arrow.schema([*kept, *added])
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:

        def write(rows: Sequence[Row]) -> None:
            columns = zip(*rows, strict=True)
            arrays = [_array(v, f.type, arrow) for v, f in zip(columns, schema, strict=True)]
            writer.write_batch(arrow.record_batch(arrays, schema=schema))

        yield write


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
    return _valid(str(value))


def _as_json(value: Any) -> str:
    def plain(part: Any) -> Any:
        if isinstance(part, float) and not math.isfinite(part):
            return None
        if isinstance(part, dict):
            return {str(key): plain(item) for key, item in part.items()}
        return [plain(item) for item in part] if isinstance(part, (list, tuple)) else part

    return _valid(json.dumps(plain(value), ensure_ascii=False, default=str))


def _valid(text: str) -> str:
    """Return a text that UTF-8 can hold: what was no valid byte in the input becomes U+FFFD."""
    return _LONE_SURROGATE.sub("\ufffd", text)
