"""Files of examples with named columns, whatever their format."""

import pathlib
from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf

from ftkeras.data.sources.stream import Example, stream
from ftkeras.errors import UserError


class Table:
    """A file of rows with named columns, one example per row; a subclass parses its format.

    Args:
        path: the file.
        text: the column of the text.
        label: the column of the label, compared as a string without surrounding whitespace.
        pair: the column of the second text, or None.
        labels: all labels in the order of their ids; None for those in the file, sorted.

    Raises:
        UserError: if the file is missing, empty or malformed, or lacks a column. An error found
            while the dataset is read must be caught by `stream.reraise_user_errors`.
    """

    def __init__(
        self,
        *,
        path: str,
        text: str = "text",
        label: str = "label",
        pair: str | None = None,
        labels: tuple[str, ...] | None = None,
    ):
        self._path = pathlib.Path(path).expanduser()
        self._columns = {"text": text, "label": label} | ({"pair": pair} if pair else {})
        self._labels = labels

    def rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield (line number, {column: value}) for each row, with values as the format has them."""
        raise NotImplementedError

    def labels(self) -> tuple[str, ...]:
        """Return the given labels, or read the file once and return its labels, sorted."""
        if self._labels is None:
            column = self._columns["label"]
            found = {self._label(line, row[column]) for line, row in self._checked_rows()}
            self._labels = tuple(sorted(found))
        return self._labels

    def column(self, name: str) -> list[str]:
        """Return the values of any column as strings, in file order; reads the file once."""
        return [self._value(line, row, name) for line, row in self._checked_rows()]

    def read(self) -> tf.data.Dataset:
        """Check the first row now and return a dataset that reads the file on each pass."""
        next(self._checked_rows())
        return stream(self._examples, pairs="pair" in self._columns)

    def _examples(self) -> Iterator[Example]:
        ids = {name: index for index, name in enumerate(self.labels())}
        texts = {name: column for name, column in self._columns.items() if name != "label"}
        for line, row in self._checked_rows():
            label = self._label(line, row[self._columns["label"]])
            if label not in ids:
                raise self._error(line, f"label {label!r} is not one of {_listing(ids)}")
            example = {name: self._text(line, row[column]) for name, column in texts.items()}
            yield example | {"label": ids[label]}

    def _checked_rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the rows; raise UserError if a required column is missing or there are no rows."""
        empty = True
        try:
            for line, row in self.rows():
                empty = False
                self._require_columns(line, row)
                yield line, row
        except OSError as error:
            raise UserError(
                f"`task`: cannot read {str(self._path)!r} ({error.strerror}). Name an existing"
                " file; relative names are looked up in `data_dir`, or in the current folder."
            ) from error
        if empty:
            raise UserError(f"`task`: {str(self._path)!r} holds no examples. Give it one per line.")

    def _require_columns(self, line: int, row: dict[str, Any]) -> None:
        for name, column in self._columns.items():
            if column not in row:
                raise self._error(
                    line, f"no column {column!r} for {name}; set {name}= to one of {_listing(row)}"
                )

    def _label(self, line: int, value: Any) -> str:
        """Return a label as a string: JSON's integers and booleans as JSON writes them."""
        label = str(value).lower() if isinstance(value, bool) else value
        label = "" if label is None else str(label).strip()
        if not label or isinstance(value, (dict, list)):
            raise self._error(line, f"a label is missing. Received: {value!r}")
        return label

    def _value(self, line: int, row: dict[str, Any], column: str) -> str:
        if row.get(column) in (None, ""):
            raise self._error(
                line, f"no value in column {column!r}; the columns are {_listing(row)}"
            )
        return str(row[column])

    def _text(self, line: int, value: Any) -> bytes:
        if not isinstance(value, str):
            raise self._error(line, f"a text must be a string. Received: {value!r}")
        return _to_bytes(value)

    def _error(self, line: int, problem: str) -> UserError:
        return UserError(f"`task`: {str(self._path)!r}, line {line}: {problem}")


def _to_bytes(text: str) -> bytes:
    """Return the bytes as they are in the file, even if not valid UTF-8.

    The text layer replaces invalid bytes.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # JSON can escape a lone surrogate, which is no byte of a file
        return text.encode("utf-8", "surrogatepass")


def _listing(names: Iterable[str]) -> str:
    quoted = [repr(name) for name in names]
    more = f" … ({len(quoted)} in all)" if len(quoted) > 20 else ""
    return ", ".join(quoted[:20]) + more
