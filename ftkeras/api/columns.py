"""Examples in memory, as users have them: columns of texts, of numbers and of names."""

from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import tensorflow as tf

# The characters of a value that a message shows.
SHOWN = 60
# The kinds of NumPy's spans of time and dates, which its conversions would turn into numbers.
_TIMES = "mM"
_KEPT = f"biuf{_TIMES}"
# Missing values of pandas, as text.
_MISSING = ("nan", "<NA>", "NaT")


def columns_of(values: Any) -> Mapping[str, Any] | None:
    """Return the columns of a dict or a table, by name; None of anything else."""
    if isinstance(values, Mapping):
        return values
    if not _is_table(values):
        return None
    names = getattr(values, "column_names", None) or values.columns
    return {name: values[name] for name in names}


def is_column(values: Any) -> bool:
    """Return whether values are a list, an array or a column of a table."""
    if isinstance(values, str | bytes) or _is_table(values):
        return False
    if isinstance(values, Sequence | tf.RaggedTensor):
        return True
    return hasattr(values, "__array__") and len(getattr(values, "shape", (0,))) > 0


def entries(values: Any, argument: str, of: str) -> list[Any]:
    """Return the entries of a column.

    Args:
        values: what should be a column.
        argument: its name.
        of: what it should hold, such as "texts".

    Raises:
        ValueError: if it is neither that nor a table of one column, or has no entries.
    """
    columns = columns_of(values) if _is_table(values) else None
    if columns is not None and len(columns) == 1:
        (values,) = columns.values()
    if not is_column(values):
        example = f", such as [{of.rstrip('s')}]" if isinstance(values, str | bytes) else ""
        raise ValueError(
            f"`{argument}` must be a list, an array or a column of {of}{example}. "
            f"Received: {received(values)}."
        )
    if isinstance(values, tf.RaggedTensor):
        values = values.to_list()
    found = list(values if isinstance(values, Sequence) else np.asarray(values))
    if not found:
        raise ValueError(f"`{argument}` must be one or more {of}. Received: none.")
    return found


def plain(value: Any) -> Any:
    """Return a value without the array or tensor around it, and bytes as a text.

    >>> plain(np.array(["a"])), plain(b"a"), plain(["a"])
    ('a', 'a', ['a'])
    """
    if not isinstance(value, str | bytes) and getattr(value, "shape", None) in ((), (1,)):
        entry = np.asarray(value).reshape(())
        value = entry[()] if entry.dtype.kind in _TIMES else entry.item()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def texts(
    values: Any,
    argument: str = "x",
    of: str = "texts",
    each: str = "one string",
    read: Callable[[Any], Any] = plain,
) -> np.ndarray:
    """Return texts as Keras takes them, an array of objects.

    Args:
        values: the texts, or what `read` turns into texts.
        argument: the name of the argument.
        of: what it should hold.
        each: what an example should be.
        read: returns the text of an entry, or the entry if it is none.

    Raises:
        ValueError: if one of them is no text. It names the first one.
    """
    given = entries(values, argument, of)
    found = np.empty(len(given), object)
    for position, value in enumerate(map(read, given)):
        if not isinstance(value, str):
            raise ValueError(
                f"`{argument}` must be {of}; {_remedy(value, each)}. "
                f"Received: {shown(value)} at position {position}."
            )
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(
                f"`{argument}` must be {of} that UTF-8 can write; replace what it can't by "
                "`text.encode('utf-8', 'replace').decode()`. "
                f"Received: {shown(value)} at position {position}."
            ) from None
        found[position] = value
    return found


def numbers_or_names(values: Any, argument: str, of: str) -> np.ndarray:
    """Return an array of numbers or, if there are strings among them, of objects.

    Dates and spans of time stay what they are. No caller takes them for numbers.

    Raises:
        ValueError: if they are neither a column nor a table, or lists of different lengths.

    >>> numbers_or_names([0, 1], "y", "labels"), numbers_or_names([b"no", "yes"], "y", "labels")
    (array([0, 1]), array(['no', 'yes'], dtype=object))
    """
    if _is_table(values):
        values = np.asarray(values)
    given = entries(values, argument, of)
    has_dtype = hasattr(values, "dtype") and isinstance(values, np.ndarray | tf.Tensor)
    try:
        found = np.asarray(values) if has_dtype else np.asarray(given)
        if found.dtype.kind not in _KEPT:  # NumPy would turn None among strings into a string
            found = np.array(found if has_dtype else given, dtype=object)
    except ValueError:
        raise ValueError(
            f"`{argument}` must be {of}, with the same number for each example. "
            "Received: lists of different lengths."
        ) from None
    return found if found.dtype.kind in _KEPT else _converted(found)


def _converted(objects: np.ndarray) -> np.ndarray:
    """Return objects as numbers if there is no string among them; else without arrays."""
    flat = [plain(value) for value in objects.flat]
    if not any(isinstance(value, str | np.datetime64 | np.timedelta64) for value in flat):
        try:
            numbers = [np.nan if is_missing(value) else value for value in flat]
            return np.array(numbers, "float64").reshape(objects.shape)
        except (TypeError, ValueError, OverflowError):
            pass  # dicts, integers of 400 digits and others stay objects, which callers refuse
    found = np.empty(len(flat), object)
    for place, value in enumerate(flat):  # which may be a list
        found[place] = value
    return found.reshape(objects.shape)


def rank(values: Any) -> int | None:
    """Return the number of axes of an array or a tensor; None if it is not known."""
    shape = values.shape
    return len(shape) if isinstance(shape, tuple) else shape.rank


def is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN, or another sign of pandas that there is none.

    >>> [is_missing(value) for value in (None, float("nan"), "nan", "", 0)]
    [True, True, False, False, False]
    """
    return value is None or (not isinstance(value, str | bytes) and str(value) in _MISSING)


def shown(value: Any) -> str:
    """Return a value as a message shows it, in one short line."""
    text = " ".join(repr(plain(value)).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def received(values: Any) -> str:
    """Return a single value, or what kind of object it is."""
    if values is None or isinstance(values, str | bytes | Real | Mapping):
        return shown(values)
    if isinstance(values, tf.Tensor | tf.RaggedTensor):
        return f"a tensor of {values.dtype.name} and shape {tuple(values.shape)}"
    return type(values).__name__


def _is_table(values: Any) -> bool:
    """Return whether values are a DataFrame or another table with named columns."""
    has_names = hasattr(values, "columns") or hasattr(values, "column_names")
    return has_names and hasattr(values, "__getitem__")


def _remedy(value: Any, each: str) -> str:
    if is_missing(value):
        return "leave out examples without one, or replace it by an empty one"
    if isinstance(value, Real):
        return "turn numbers into texts with `str`"
    return f"{each} for each example"
