"""Classification of texts in the user's own files."""

import functools
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence

import tensorflow as tf

from ftkeras.data.sources.stream import Example, stream
from ftkeras.data.tables import inference, profile
from ftkeras.data.tables.inference import Chosen, Roles, find_position
from ftkeras.data.tables.labels import Labels, find_labels, recorded_labels
from ftkeras.data.tables.reading import Options, open_data
from ftkeras.data.tables.table import Table, Value
from ftkeras.data.tables.texts import encode, joined
from ftkeras.data.task import Task
from ftkeras.errors import UserError

Column = str | int


class Classification(Task):
    """Assign one of several labels to texts, or pairs of texts, from the user's own files.

    Files may be CSV, TSV and their relatives, JSON lines or arrays, Parquet, Arrow, `.xlsx`, a
    folder of `.txt` files per class, or a folder of `datasets.save_to_disk`; compressed or not.
    What is not given is inferred from the training data.

    Args:
        train: file, folder or glob pattern of the examples to train on, or several of these.
        test: the same to test on; None to hold out a part of `train`.
        validation: the same to validate on; None to hold out a part of `train`.
        text: column of the text, by name or number from 0; several are joined.
        label: column of the label.
        pair: column of the second text, if the examples are pairs.
        labels: names for the labels in the files, {'1': 'World', '2': 'Sports'}; or all labels in
            the order of their ids, 'a,b,c' or a tuple. None for those in `train`: numbers in
            numerical order, words in alphabetical order.
        header: whether the first row names the columns.
        delimiter: between the fields of a text file, one character.
        encoding: of text files, such as 'cp1252'.
        data_dir: folder in which relative file names are looked up; None for the current one.
        known_labels: the labels of a run that is evaluated, in the order of their ids. No others
            may occur, and `labels` names values of theirs.

    Raises:
        ValueError: naming the argument and the value received.
    """

    def __init__(
        self,
        *,
        train: str | Sequence[str],
        test: str | Sequence[str] | None = None,
        validation: str | Sequence[str] | None = None,
        text: Column | Sequence[Column] | None = None,
        label: Column | None = None,
        pair: Column | None = None,
        labels: str | Sequence[str] | Mapping[str, str] | None = None,
        header: bool | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        data_dir: str | None = None,
        known_labels: Sequence[str] | None = None,
    ):
        files = {"train": train, "validation": validation, "test": test}
        self._files = {name: names for name, names in files.items() if names is not None}
        for name, names in self._files.items():
            if not names:
                raise ValueError(f"`{name}` must name a file. Received: {names!r}.")
        texts = (text,) if isinstance(text, Column) else text
        self._chosen = Chosen(text=texts and tuple(texts), pair=pair, label=label)
        self._given_labels = None if labels is None else _named_labels(labels)
        self._known_labels = known_labels
        self._options = Options(header=header, delimiter=delimiter, encoding=encoding)
        self._folder = pathlib.Path(os.path.expanduser(data_dir or "."))

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes; reads `train` once."""
        return self._labels.names

    @property
    def pairs(self) -> bool:
        """True if the examples are pairs of texts; reads `train` once if `text` is omitted."""
        if self._chosen.pair is not None:
            return True
        return self._chosen.text is None and self._roles.pair is not None

    @property
    def notes(self) -> tuple[str, ...]:
        """The facts that were detected and inferred, a phrase each."""
        return (*self._table("train").notes, *self._roles.notes)

    @property
    def columns(self) -> dict[str, object]:
        """The columns of `train` that hold the text, the second text and the label."""
        roles, names = self._roles, self._table("train").columns
        # Of two columns with one name, only the position tells which it is.
        shown = [name if names.count(name) == 1 else n for n, name in enumerate(names)]
        return {
            "text": [shown[position] for position in roles.text],
            "pair": None if roles.pair is None else shown[roles.pair],
            "label": shown[roles.label],
        }

    @property
    def warnings(self) -> tuple[str, ...]:
        """Likely mistakes in the labels, a sentence each."""
        return self._labels.warnings

    def splits(self) -> dict[str, tf.data.Dataset]:
        """Return one dataset for each of train, validation and test that is given.

        Raises:
            UserError: for a file that is missing, empty or lacks a column.
        """
        for name in self._files:
            self._positions(name)
        self._labels  # noqa: B018  what is wrong with them shows before the first example
        return {
            name: stream(functools.partial(self._examples, name), pairs=self.pairs)
            for name in self._files
        }

    def column(self, split: str, name: Column) -> list[str]:
        """Return the values of a column of a split, in the order of its rows.

        Raises:
            UserError: if there is no such column, or a row has no value in it.
        """
        table = self._table(split)
        position = find_position(table.name, table.columns, name, "group_by")
        values = []
        for line, row in table.rows():
            if profile.is_missing(row[position]):
                raise UserError(
                    f"`group_by`: line {line} of {table.name!r} has no value in column {name!r}."
                )
            values.append(profile.as_text(row[position]))
        return values

    @functools.cached_property
    def _profile(self) -> profile.Profile:
        return profile.profile(self._table("train"))

    @functools.cached_property
    def _roles(self) -> Roles:
        if self._chosen.text is None or self._chosen.label is None:
            return inference.infer_roles(self._profile, self._chosen)
        return inference.chosen_roles(self._table("train"), self._chosen)

    @functools.cached_property
    def _labels(self) -> Labels:
        if self._known_labels is not None:
            return recorded_labels(self._known_labels, self._given_labels)
        if isinstance(self._given_labels, tuple):
            return Labels(self._given_labels, {n: i for i, n in enumerate(self._given_labels)})
        column = self._profile.columns[self._roles.label]
        problem = inference.find_problem(column)
        if problem != "classification":
            raise UserError(
                f"`data`: the labels of {self._profile.name!r} are {_LABELS_OF[problem]}, which is "
                f"{problem.replace('_', '-')}; it is not supported yet."
            )
        return find_labels(self._profile.name, column, self._given_labels)

    @functools.cache  # noqa: B019  a run has one of these objects
    def _table(self, split: str) -> Table:
        return open_data(self._files[split], self._folder, self._options)

    @functools.cache  # noqa: B019
    def _positions(self, split: str) -> tuple[tuple[int, ...], int | None, int]:
        """Return where the text's columns, the second text and the label are in a split's rows."""
        roles, names, table = self._roles, self._table("train").columns, self._table(split)

        def position(of_train: int, argument: str) -> int:
            if names.count(names[of_train]) > 1 and table.columns == names:
                return of_train
            return find_position(table.name, table.columns, names[of_train], argument)

        text = tuple(position(p, "text_column") for p in roles.text)
        pair = None if roles.pair is None else position(roles.pair, "pair_column")
        return text, pair, position(roles.label, "label_column")

    def _examples(self, split: str) -> Iterator[Example]:
        table, (text, pair, label) = self._table(split), self._positions(split)
        for line, row in table.rows():
            example: Example = {"text": encode(joined(table, line, row, text))}
            if pair is not None:
                example["pair"] = encode(joined(table, line, row, (pair,)))
            yield example | {"label": self._label_id(table, line, row[label])}

    def _label_id(self, table: Table, line: int, value: Value) -> int:
        found = None if profile.is_missing(value) else self._labels.id_of(value)
        if found is None:
            what = "no label" if profile.is_missing(value) else f"the label {value!r}"
            names = ", ".join(map(repr, self.labels[:20]))
            raise UserError(
                f"`data`: line {line} of {table.name!r} has {what}; the labels are {names}."
            )
        return found


_LABELS_OF = {"regression": "numbers", "multi_label": "lists"}


def _named_labels(
    labels: str | Sequence[str] | Mapping[str, str],
) -> tuple[str, ...] | dict[str, str]:
    if isinstance(labels, Mapping):
        return {str(value).strip(): str(name) for value, name in labels.items()}
    listed = labels.split(",") if isinstance(labels, str) else labels
    names = tuple(str(name).strip() for name in listed)
    if len(names) < 2 or len(set(names)) < len(names) or "" in names:
        raise ValueError(f"`labels` must be two or more different names. Received: {labels!r}.")
    return names
