"""Classification of texts in the user's own files."""

import pathlib

import tensorflow as tf

from ftkeras.data.sources.delimited import Delimited
from ftkeras.data.sources.jsonl import Jsonl
from ftkeras.data.sources.table import Table
from ftkeras.data.task import Task
from ftkeras.errors import UserError

_FORMATS = {".csv": Delimited, ".tsv": Delimited, ".jsonl": Jsonl}


class Classification(Task):
    """Assign one of several labels to texts, or pairs of texts, from the user's own files.

    Args:
        train: the file of the examples to train on: `.csv` or `.tsv` with a header, or `.jsonl`.
        test: the file of the examples to test on.
        validation: the file of the examples to validate on, or None.
        text: the column of the text.
        label: the column of the label.
        pair: the column of the second text, or None.
        labels: all labels in the order of their ids, 'a,b,c' or a tuple; None for the labels in
            `train`, sorted as strings.
        data_dir: the folder in which relative file names are looked up; None for the current one.

    Raises:
        ValueError: naming the argument and the value received.
    """

    def __init__(
        self,
        *,
        train: str,
        test: str,
        validation: str | None = None,
        text: str = "text",
        label: str = "label",
        pair: str | None = None,
        labels: str | tuple[str, ...] | None = None,
        data_dir: str | None = None,
    ):
        self._files = {"train": train, "test": test}
        if validation is not None:
            self._files["validation"] = validation
        for name, file in self._files.items():
            if pathlib.Path(file).suffix.lower() not in _FORMATS:
                raise ValueError(f"`{name}` must end in {', '.join(_FORMATS)}. Received: {file!r}")
        self._columns = {"text": text, "label": label, "pair": pair}
        self.pairs = pair is not None
        self._labels = None if labels is None else _parse_labels(labels)
        self._folder = pathlib.Path(data_dir or ".").expanduser()

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes; reads `train` once if they were not given."""
        if self._labels is None:
            found = self._table("train", None).labels()
            if len(found) < 2:
                raise UserError(
                    f"`task`: train={self._files['train']!r} holds only the label {found[0]!r}."
                    " Give it examples of two labels or more."
                )
            self._labels = found
        return self._labels

    def splits(self) -> dict[str, tf.data.Dataset]:
        """Return one dataset per file, in the order of the file.

        Raises:
            UserError: if a file is missing, is empty or lacks a column.
        """
        return {name: self._table(name, self.labels).read() for name in self._files}

    def column(self, split: str, name: str) -> list[str]:
        """Return the values of a column of a split's file, in the order of the file.

        Raises:
            UserError: if a row has no value in this column.
        """
        return self._table(split, None).column(name)

    def _table(self, name: str, labels: tuple[str, ...] | None) -> Table:
        path = self._folder / self._files[name]
        return _FORMATS[path.suffix.lower()](path=str(path), labels=labels, **self._columns)


def _parse_labels(labels: str | tuple[str, ...]) -> tuple[str, ...]:
    listed = labels.split(",") if isinstance(labels, str) else labels
    names = tuple(str(name).strip() for name in listed)
    if len(names) < 2 or len(set(names)) < len(names) or "" in names:
        raise ValueError(f"`labels` must be two or more different names. Received: {labels!r}")
    return names
