"""Examples in memory, written to files, so that a run can be repeated from its settings.

These are examples in memory: a DataFrame of pandas or polars, a `datasets.Dataset`, a
`tf.data.Dataset`, a dict of columns, a list of dicts, or a pair (texts, labels).
"""

import contextlib
import hashlib
import json
import logging
import math
import os
import pathlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ftkeras.api.arguments import DATA
from ftkeras.errors import UserError
from ftkeras.runs import layout
from ftkeras.support import files

log = logging.getLogger(__name__)

# What the files of a run are called, and the folder in the run's folder that they are in.
STEMS = {"data": "train", "validation_data": "validation", "test_data": "test"}
FOLDER = "data"
_DIGITS = 8


def is_in_memory(value: Any) -> bool:
    """Return whether a value holds examples, not names of files."""
    if isinstance(value, str | os.PathLike):
        return False
    is_names = isinstance(value, Sequence) and all(isinstance(v, str | os.PathLike) for v in value)
    return not (is_names and len(value) > 0)


def take(given: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the examples that are given in memory, as JSON lines, by field.

    Raises:
        UserError: if they are of a type that is not known, or empty.
    """
    held = {name: given[name] for name in DATA if name in given and is_in_memory(given[name])}
    return {name: _as_lines(name, value) for name, value in held.items()}


def default_name(contents: Mapping[str, bytes]) -> str:
    """Return a name for what is filed under data without a name of its own: by their content."""
    digest = hashlib.sha256(next(iter(contents.values()))).hexdigest()
    return f"data-{digest[:_DIGITS]}"


@contextlib.contextmanager
def written(
    contents: Mapping[str, bytes], home: pathlib.Path, *, stems: Mapping[str, str], restart: bool
) -> Iterator[dict[str, str]]:
    """Write examples into the folder of a run; yield their files by field.

    If the run is refused before it leaves anything, they are removed again.

    Args:
        contents: JSON lines by field.
        home: the run's folder.
        stems: the name of each file without its suffix, by field.
        restart: whether other examples may be replaced.

    Raises:
        UserError: if the folder has other examples, or can't be written.
    """
    created = [path for path in (home, *home.parents) if not path.exists()]
    paths = {}
    for field, content in contents.items():
        path = home / FOLDER / f"{stems[field]}.jsonl"
        if not restart and path.exists() and path.read_bytes() != content:
            raise UserError(
                f"`{field}`: {path} has other examples, those of the run in {home}; name another "
                "folder, or start from scratch with `restart`."
            )
        files.require_writable(path.parent, "run_dir")
        files.write_text(path, content.decode())
        rows = content.count(b"\n")
        log.info("%s", f"data    {rows:,} rows written to {path}")
        paths[field] = str(path)
    try:
        yield paths
    except BaseException:
        if created and set(os.listdir(home)) <= {FOLDER, layout.LOCK}:
            shutil.rmtree(home)
            for folder in created[1:]:
                with contextlib.suppress(OSError):  # not empty
                    folder.rmdir()
        raise


def _as_lines(field: str, value: Any) -> bytes:
    """Return examples as JSON lines."""
    columns = _columns(field, value)
    sizes = {name: len(column) for name, column in columns.items()}
    if not sizes or not min(sizes.values()):
        raise UserError(f"`{field}` has no examples.")
    if len(set(sizes.values())) > 1:
        shown = ", ".join(f"{size:,} of {name!r}" for name, size in sizes.items())
        raise UserError(f"`{field}` must have as many values in each column. Received: {shown}.")
    rows = zip(*columns.values(), strict=True)
    lines = (
        json.dumps(dict(zip(columns, map(_plain, row), strict=True)), ensure_ascii=False)
        for row in rows
    )
    text = "".join(f"{line}\n" for line in lines)
    return text.encode("utf-8", "replace")  # a lone surrogate is no text


def _columns(field: str, value: Any) -> dict[str, Sequence[Any]]:
    if isinstance(value, Mapping):
        return {str(name): list(column) for name, column in value.items()}
    if hasattr(value, "element_spec"):
        return _from_tf_data(value)
    if hasattr(value, "column_names") and hasattr(value, "features"):
        return _from_datasets(value)
    if hasattr(value, "columns") and hasattr(value, "__getitem__"):
        return {str(name): list(value[name]) for name in value.columns}
    if isinstance(value, Sequence):
        if all(isinstance(row, Mapping) for row in value):
            names = list(dict.fromkeys(name for row in value for name in row))
            return {str(name): [row.get(name) for row in value] for name in names}
        if isinstance(value, tuple) and len(value) == 2:
            return dict(zip(("text", "label"), map(list, value), strict=True))
    raise UserError(
        f"`{field}` must be files, a DataFrame, a list of dicts, a dict of columns, a Dataset, or "
        f"a pair (texts, labels). Received: {type(value).__name__}."
    )


def _from_datasets(value: Any) -> dict[str, Sequence[Any]]:
    """Return the columns of a `datasets.Dataset`; labels by their names."""
    found = {}
    for name in value.column_names:
        names = getattr(value.features[name], "names", None)
        column = value[name]
        found[name] = [names[i] for i in column] if names else list(column)
    return found


def _from_tf_data(value: Any) -> dict[str, Sequence[Any]]:
    """Return the columns of a `tf.data.Dataset` of single examples: dicts, or (text, label)."""
    rows = list(value.as_numpy_iterator())
    if rows and isinstance(rows[0], tuple):
        rows = [dict(zip(("text", "label"), row, strict=True)) for row in rows]
    return {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; None for one that is missing."""
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:  # a NumPy scalar
        value = value.item()
    elif hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if str(value) in ("<NA>", "NaT") else str(value)
