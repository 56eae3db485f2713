"""Classification of the texts in one's own files."""

import pathlib

import tensorflow as tf

from ftkeras.data.sources.delimited import Delimited
from ftkeras.data.sources.jsonl import Jsonl
from ftkeras.data.sources.table import Table
from ftkeras.errors import UserError

_FORMATS = {".csv": Delimited, ".tsv": Delimited, ".jsonl": Jsonl}


class Classification:
    """Which of its labels does a text (or a pair of texts) have? From one's own files.

    Args:
        train: file of the examples to learn from: `.csv` or `.tsv` with a header, or `.jsonl`.
        test: file of the examples to test on.
        validation: file of the examples to validate on, or None.
        text: column of the text.
        label: column of the label.
        pair: column of the second text, or None.
        labels: every label in the order of their ids, 'a,b,c' or a tuple; None for the distinct
            ones of `train`, sorted as strings.
        data_dir: folder in which relative file names are looked up; None for the current one.

    Raises:
        ValueError: naming the argument and the value received.
    """

    head = "classification"
    homepage = None
    citation = None

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
        self._labels = None if labels is None else _names(labels)
        self._folder = pathlib.Path(data_dir or ".").expanduser()

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes; reads `train` once where they were not given."""
        if self._labels is None:
            found = self._table("train", None).labels()
            if len(found) < 2:
                raise UserError(
                    f"`task`: train={self._files['train']!r} holds one label only, {found[0]!r}."
                    " Give it examples of two or more."
                )
            self._labels = found
        return self._labels

    def splits(self) -> dict[str, tf.data.Dataset]:
        """One dataset a file, in the file's order.

        Raises:
            UserError: for a file that is missing, empty or lacks a column.
        """
        return {name: self._table(name, self.labels).read() for name in self._files}

    def column(self, split: str, name: str) -> list[str]:
        """The values of a column of a split's file, in the file's order."""
        return self._table(split, None).column(name)

    def _table(self, name: str, labels: tuple[str, ...] | None) -> Table:
        path = self._folder / self._files[name]
        return _FORMATS[path.suffix.lower()](path=str(path), labels=labels, **self._columns)


def _names(labels: str | tuple[str, ...]) -> tuple[str, ...]:
    listed = labels.split(",") if isinstance(labels, str) else labels
    names = tuple(str(name).strip() for name in listed)
    if len(names) < 2 or len(set(names)) < len(names) or "" in names:
        raise ValueError(f"`labels` must be two or more different names. Received: {labels!r}")
    return names
