"""Examples in memory as JSON lines, so that a run can be repeated from its settings.

These are examples in memory: a table of pandas, polars or pyarrow, a `datasets.Dataset`, a
`tf.data.Dataset`, a dict of columns, a list of dicts, or a pair (texts, labels).
"""

import collections
import hashlib
import json
import logging
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ftkeras.api.arguments import DATA
from ftkeras.errors import UserError
from ftkeras.support import plurals

log = logging.getLogger(__name__)

# What the files of a run are called.
STEMS = {field: shorter for shorter, field in DATA.items()}
_DIGITS = 8
# The text of an object that has none of its own.
_ADDRESS = re.compile(r"<.* at 0x[0-9A-Fa-f]+>", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_INFINITE = -1  # tf.data.INFINITE_CARDINALITY


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
    held = {name: given[name] for name in STEMS if name in given and is_in_memory(given[name])}
    return {name: _as_lines(name, value) for name, value in held.items()}


def default_name(contents: Mapping[str, bytes]) -> str:
    """Return a name for what is filed under data without a name of its own: by their content."""
    digest = hashlib.sha256(next(iter(contents.values()))).hexdigest()
    return f"data-{digest[:_DIGITS]}"


def _as_lines(field: str, value: Any) -> bytes:
    """Return examples as JSON lines."""
    columns = _columns(field, value)
    sizes = {name: len(column) for name, column in columns.items()}
    if not sizes or not min(sizes.values()):
        raise UserError(f"`{field}` has no examples.")
    if len(set(sizes.values())) > 1:
        shown = ", ".join(f"{size:,} of {name!r}" for name, size in sizes.items())
        raise UserError(
            f"`{field}` must have the same number of values in each column. Received: {shown}."
        )
    if list(columns) == ["text", "label"]:
        _refuse_matrix(field, *columns.values())
    rows = zip(*columns.values(), strict=True)
    lines = (
        json.dumps(
            {name: _plain(value, field, name) for name, value in zip(columns, row, strict=True)},
            ensure_ascii=False,
        )
        for row in rows
    )
    text = "".join(f"{line}\n" for line in lines)
    if count := len(_SURROGATE.findall(text)):
        noun = plurals.counted(count, "character", "characters")
        log.warning(f"warning: {noun} of `{field}` can't be written as UTF-8; '?' replaces each")
    return text.encode("utf-8", "replace")


def _columns(field: str, value: Any) -> dict[str, Sequence[Any]]:
    if hasattr(value, "element_spec"):
        return _from_tf_data(field, value)
    if isinstance(value, Mapping):
        _refuse_tables(field, value)
        return _named_columns(field, value, value)
    if (names := _names(value)) is not None:
        has_labels = hasattr(value, "column_names") and hasattr(value, "features")
        return _named_columns(field, names, _of_datasets(value) if has_labels else value)
    if isinstance(value, Sequence):
        if all(isinstance(row, Mapping) for row in value):
            names = list(dict.fromkeys(name for row in value for name in row))
            return {str(name): [row.get(name) for row in value] for name in names}
        if isinstance(value, tuple) and len(value) == 2:
            named = zip(("text", "label"), value, strict=True)
            pair = {name: _single(field, name, part) for name, part in named}
            return _named_columns(field, pair, pair)
    raise UserError(
        f"`{field}` must be files, a DataFrame, a list of dicts, a dict of columns, a Dataset, or "
        f"a pair (texts, labels). Received: {type(value).__name__}."
    )


def _names(value: Any) -> Sequence[Any] | None:
    """Return the names of a table's columns; None of anything else."""
    for attribute in ("column_names", "columns"):  # of pyarrow, the latter are the values
        if hasattr(value, attribute) and hasattr(value, "__getitem__"):
            return list(getattr(value, attribute))
    return None


def _refuse_tables(field: str, columns: Mapping[Any, Any]) -> None:
    """Raise UserError if a dict holds tables, such as the splits of a `datasets.DatasetDict`."""
    tables = [name for name, column in columns.items() if _names(column) is not None]
    if tables:
        raise UserError(
            f"`{field}` must be one table; pass one of the dict's, such as [{tables[0]!r}]. "
            f"Received: {type(columns).__name__} of {', '.join(map(repr, columns))}."
        )


def _named_columns(field: str, names: Iterable[Any], table: Any) -> dict[str, Sequence[Any]]:
    """Return the columns of a table by name.

    Raises:
        UserError: if two have the same name, or one is no column.
    """
    counts = collections.Counter(map(str, names))
    if twice := [name for name, count in counts.items() if count > 1]:
        raise UserError(
            f"`{field}` must not have two columns of the same name. Received: {twice[0]!r} twice."
        )
    return {str(name): _column(field, name, table[name]) for name in names}


def _single(field: str, name: str, values: Any) -> Any:
    """Return the values of a part of a pair: of a table or an array of one column, that column.

    Raises:
        UserError: if a table has other columns.
    """
    if (names := _names(values)) is None:
        return values[:, 0] if tuple(getattr(values, "shape", ()))[1:] == (1,) else values
    if len(names) != 1:
        raise UserError(
            f"`{field}` must be a pair of columns, or one table of texts and labels. Received: a "
            f"{type(values).__name__} of {', '.join(map(repr, names)) or 'no columns'} as {name!r}."
        )
    return values[names[0]]


def _refuse_matrix(field: str, texts: Sequence[Any], labels: Sequence[Any]) -> None:
    """Raise UserError if labels are the rows of a matrix of 0 and 1, which has no names.

    As lists of labels, all would be named '0' and '1'.
    """
    rows = [_plain(row, field, "label") for row in labels]
    widths = {len(row) if isinstance(row, list) else 0 for row in rows}
    is_matrix = len(widths) == 1 and max(widths) > 1 and isinstance(texts[0], str | bytes)
    if is_matrix and all(value in (0, 1) for row in rows for value in row):
        raise UserError(
            f"`{field}` must have names of labels: a table with a column of 0 and 1 for each label "
            "beside the texts, or a list of names for each text. "
            f"Received: a matrix of 0 and 1 with {max(widths)} columns."
        )


def _column(field: str, name: Any, values: Any) -> Sequence[Any]:
    """Return the values of a column as a list.

    Raises:
        UserError: if it is none: a text, for example, would become its letters.
    """
    if hasattr(values, "to_pylist"):  # of pyarrow, whose own entries are objects
        return values.to_pylist()
    no_columns = str | bytes | Mapping | set | frozenset  # the latter have no order
    is_one = isinstance(values, no_columns) or getattr(values, "ndim", 1) == 0
    if is_one or not hasattr(values, "__iter__"):
        raise UserError(
            f"`{field}` must have a list, an array or a column for {name!r}. "
            f"Received: {values!r:.60}."
        )
    return list(values)


def _of_datasets(value: Any) -> dict[str, Sequence[Any]]:
    """Return the columns of a `datasets.Dataset`; labels by their names."""
    found = {}
    for name in value.column_names:
        feature = value.features[name]
        feature = getattr(feature, "feature", feature)  # of a sequence
        names = getattr(feature, "names", None)
        found[name] = [_named(part, names) for part in value[name]] if names else value[name]
    return found


def _named(label: Any, names: Sequence[str]) -> Any:
    """Return the name of a label, or of each in a list; None for one that is missing."""
    if isinstance(label, Sequence):
        return [_named(one, names) for one in label]
    return None if label is None or label < 0 else names[label]


def _from_tf_data(field: str, value: Any) -> dict[str, Sequence[Any]]:
    """Return the columns of a `tf.data.Dataset` of single examples: dicts, or (text, label)."""
    from ftkeras.support import keras_compat

    spec: Any = value.element_spec
    is_pair = isinstance(spec, tuple) and len(spec) == 2
    if not (is_pair or isinstance(spec, Mapping)):
        raise UserError(
            f"`{field}`: a tf.data.Dataset must have single examples as elements, dicts or "
            f"(text, label). Received elements like {spec}."
        )
    parts: Iterable[Any] = spec.values() if isinstance(spec, Mapping) else spec
    # Single examples may have lists, such as words and their tags.
    has_lists = all(part.shape.rank != 0 for part in parts if hasattr(part, "shape"))
    if has_lists and keras_compat.is_batched(value):
        raise UserError(
            f"`{field}`: a tf.data.Dataset must have single examples; use `dataset.unbatch()`. "
            f"Received batches: {spec}."
        )
    if value.cardinality() == _INFINITE:
        raise UserError(
            f"`{field}`: a tf.data.Dataset must have an end; remove `repeat`. "
            "Received: an infinite one."
        )
    rows = list(value.as_numpy_iterator())
    if is_pair:
        rows = [dict(zip(("text", "label"), row, strict=True)) for row in rows]
    return {str(name): [row[name] for row in rows] for name in (rows[0] if rows else ())}


def _plain(value: Any, field: str, name: str) -> Any:
    """Return a value as JSON has it; None for one that is missing.

    Args:
        value: of an example.
        field: the argument that has the examples.
        name: the value's column.

    Raises:
        UserError: if it is an object that is written as its address, or an unknown collection.
    """
    if hasattr(value, "numpy"):  # a tensor
        value = value.numpy()
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:  # a NumPy scalar
        item = value.item()
        # NumPy makes integers of times that Python's types can't hold, such as nanoseconds.
        value = str(value) if _has_times(value) and isinstance(item, int) else item
    elif hasattr(value, "tolist"):
        value = list(value) if _has_times(value) else value.tolist()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(part, field, name) for part in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(part, field, name) for part in value), key=str)
    if isinstance(value, Mapping):
        return {str(key): _plain(part, field, name) for key, part in value.items()}
    text = str(value)
    if hasattr(value, "__iter__") or _ADDRESS.fullmatch(text):
        raise UserError(
            f"`{field}` must have texts, numbers, dates, or lists or dicts of them in {name!r}. "
            f"Received: {text:.60}, of type {type(value).__name__}."
        )
    return None if text in ("<NA>", "NaT") else text


def _has_times(value: Any) -> bool:
    """Return whether NumPy's dates or spans of time are in an array or a scalar."""
    return getattr(getattr(value, "dtype", None), "kind", "") in ("m", "M")
