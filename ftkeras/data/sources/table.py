"""What files of examples with named columns have in common, whatever their format."""

import pathlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from ftkeras.data.sources.stream import Example, stream
from ftkeras.errors import UserError


class Table:
    """A file of rows with named columns, one example a row.

    Args:
        path: the file.
        text: column of the text.
        label: column of the label, compared as a string without the blanks around it.
        pair: column of the second text, or None.
        labels: every label, in the order of their ids; None for the ones in the file, sorted.

    Raises:
        UserError: for a file that is missing, empty, ill-formed or lacks a column. What is found
            while the dataset is read arrives as a `tf.errors.OpError`: see `stream.user_error`.
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
        """Yields (line number, {column: value}), values as the format has them."""
        raise NotImplementedError

    def labels(self) -> tuple[str, ...]:
        """The labels: those given, or the distinct ones of the file, sorted (reads it once)."""
        if self._labels is None:
            column = self._columns["label"]
            found = {self._label(line, row[column]) for line, row in self._checked()}
            self._labels = tuple(sorted(found))
        return self._labels

    def column(self, name: str) -> list[str]:
        """The values of any column as strings, in file order (reads the file once)."""
        return [self._value(line, row, name) for line, row in self._checked()]

    def read(self) -> tf.data.Dataset:
        """Checks the first row now; reads the rest, in file order, on each pass."""
        next(self._checked())
        return stream(self._examples, pairs="pair" in self._columns)

    def _examples(self) -> Iterator[Example]:
        ids = {name: index for index, name in enumerate(self.labels())}
        texts = {name: column for name, column in self._columns.items() if name != "label"}
        for line, row in self._checked():
            label = self._label(line, row[self._columns["label"]])
            if label not in ids:
                raise self._wrong(line, f"label {label!r} is not one of {_listed(ids)}")
            example = {name: self._text(line, row[column]) for name, column in texts.items()}
            yield example | {"label": ids[label]}

    def _checked(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The rows, every one with the columns asked for, and at least one."""
        empty = True
        try:
            for line, row in self.rows():
                empty = False
                self._require_columns(line, row)
                yield line, row
        except OSError as error:
            raise UserError(
                f"`task`: cannot read {str(self._path)!r} ({error.strerror}). Name a file that is"
                " there; relative names are looked up in `data_dir`, or in the current folder."
            ) from error
        if empty:
            raise UserError(f"`task`: {str(self._path)!r} holds no examples. Give it one a line.")

    def _require_columns(self, line: int, row: dict[str, Any]) -> None:
        for name, column in self._columns.items():
            if column not in row:
                raise self._wrong(
                    line, f"no column {column!r} for {name}; set {name}= to one of {_listed(row)}"
                )

    def _label(self, line: int, value: Any) -> str:
        """A label as a string; integers and truth values of JSON as JSON writes them."""
        label = str(value).lower() if isinstance(value, bool) else value
        label = "" if label is None else str(label).strip()
        if not label or isinstance(value, (dict, list)):
            raise self._wrong(line, f"a label is missing. Received: {value!r}")
        return label

    def _value(self, line: int, row: dict[str, Any], column: str) -> str:
        if row.get(column) in (None, ""):
            raise self._wrong(line, f"nothing in column {column!r}; there are {_listed(row)}")
        return str(row[column])

    def _text(self, line: int, value: Any) -> bytes:
        if not isinstance(value, str):
            raise self._wrong(line, f"a text must be a string. Received: {value!r}")
        return _bytes(value)

    def _wrong(self, line: int, what: str) -> UserError:
        return UserError(f"`task`: {str(self._path)!r}, line {line}: {what}")


def _bytes(text: str) -> bytes:
    """The bytes as they stood in the file, valid UTF-8 or not: the text layer replaces."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # JSON can escape a lone surrogate, which no file byte stands for.
        return text.encode("utf-8", "surrogatepass")


def _listed(names: Any) -> str:
    listed = [repr(name) for name in names]
    return ", ".join(listed[:20]) + (f" … ({len(listed)} in all)" if len(listed) > 20 else "")
