"""Parquet, Arrow and folders written by `datasets.save_to_disk`, read with pyarrow."""

import contextlib
import json
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

from ftkeras.data.tables.table import Row
from ftkeras.errors import UserError

_BATCH = 1024


class Columnar:
    """A Parquet or Arrow file, or a folder that `datasets.save_to_disk` wrote, read in batches.

    Args:
        path: the file or folder.

    Raises:
        UserError: if pyarrow is missing, or the file is damaged.
    """

    def __init__(self, path: pathlib.Path):
        self.path, self.name = path, str(path)
        self._kind, self._files = _kind_and_files(path)
        self.schema = self._read_schema()
        self.columns = tuple(self.schema.names)
        self.notes = (self._kind,)

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Yield (number from 1, values as Python objects)."""
        arrow, number = _require_pyarrow(), 0
        for file in self._files:
            for batch in self._batches(file):
                with _readable(arrow, file):
                    columns = [column.to_pylist() for column in batch.columns]
                for values in zip(*columns, strict=True):
                    number += 1
                    yield number, values

    def _read_schema(self):
        arrow, file = _require_pyarrow(), self._files[0]
        with _readable(arrow, file):
            if self._kind == "Parquet":
                return arrow.parquet.ParquetFile(file).schema_arrow
            first = next(self._batches(file), None)
        if first is None:
            raise UserError(f"`data`: {str(file)!r} has no rows.")
        return first.schema

    def _batches(self, file: pathlib.Path) -> Iterator:
        arrow = _require_pyarrow()
        with _readable(arrow, file):
            if self._kind == "Parquet":
                yield from arrow.parquet.ParquetFile(file).iter_batches(_BATCH)
                return
            with arrow.memory_map(str(file)) as source:
                yield from _arrow_batches(arrow, source)


def common_schema(schemas: Sequence[Any]) -> Any:
    """Return an Arrow schema for the rows of several tables; None if no types hold all values.

    Args:
        schemas: one of each table; None for a table that has none.
    """
    if any(schema is None for schema in schemas):
        return None
    if all(schema.equals(schemas[0]) for schema in schemas):
        return schemas[0]
    arrow = _require_pyarrow()
    try:
        return arrow.unify_schemas(schemas, promote_options="permissive")
    except (arrow.ArrowInvalid, arrow.ArrowTypeError):
        return None


@contextlib.contextmanager
def _readable(arrow, file: pathlib.Path) -> Iterator[None]:
    """Re-raise what pyarrow finds wrong with a file as a UserError."""
    try:
        yield
    # The last two are of values that Python has no object for, such as times after the year 9999.
    except (arrow.ArrowNotImplementedError, OSError, ValueError, OverflowError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"`data`: {str(file)!r} can't be read ({reason}).") from error


def _arrow_batches(arrow, source) -> Iterator:
    """Yield the record batches of an Arrow file or stream: `datasets` writes streams."""
    if source.read(6) == b"ARROW1":
        reader = arrow.ipc.open_file(source)
        yield from (reader.get_batch(number) for number in range(reader.num_record_batches))
    else:
        source.seek(0)
        yield from arrow.ipc.open_stream(source)


def _kind_and_files(path: pathlib.Path) -> tuple[str, list[pathlib.Path]]:
    if not path.is_dir():
        return ("Parquet" if path.suffix.lower() == ".parquet" else "Arrow"), [path]
    if (path / "dataset_dict.json").is_file():
        with _as_saved(path / "dataset_dict.json") as record:
            first = path / record["splits"][0]
        raise UserError(
            f"`data`: {str(path)!r} holds several splits; name one folder each, such as "
            f"data={first}."
        )
    with _as_saved(path / "state.json") as state:
        names = [file["filename"] for file in state["_data_files"]]
    if not names:
        raise UserError(f"`data`: {str(path)!r} has no rows.")
    return "a saved dataset", [path / name for name in names]


@contextlib.contextmanager
def _as_saved(file: pathlib.Path) -> Iterator[Any]:
    """Yield the record in a file of `datasets`; raise UserError if it lacks what is read of it."""
    try:
        yield json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, LookupError, TypeError) as error:
        raise UserError(
            f"`data`: {str(file)!r} is not as `datasets.save_to_disk` writes it "
            f"({type(error).__name__}: {error}); save the dataset again."
        ) from error


def _require_pyarrow():
    try:
        import pyarrow
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError:
        raise UserError("`data`: Parquet and Arrow need: pip install 'ftkeras[data]'") from None
    return pyarrow
