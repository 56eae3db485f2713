"""Texts without answers, from which a masked language model learns."""

import functools
import inspect
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

from ftkeras import tasks
from ftkeras.data.sources.stream import Example, stream
from ftkeras.data.tables.documents import Documents, open_documents
from ftkeras.data.tables.reading import Options
from ftkeras.data.task import Task
from ftkeras.problems import masked_lm
from ftkeras.support import lazy
from ftkeras.support.cached_methods import cached_method
from ftkeras.tasks._file_task import FileTask

Column = str | int


class MaskedLm(FileTask):
    """Predict masked tokens of texts, from another task or from your own files.

    Labels are not read. Texts that also occur in the test split, exactly or nearly, are left out of
    training. `pretrain` uses this task.

    Args:
        of: the name of a task whose texts to read, instead of `train`.
        train: file, folder or glob pattern of the texts, or several of these. Each line of a text
            file, each `.txt` file of a folder, and each row of a table is a text.
        test: files whose texts are left out of training, and tested on if you ask for it; or None.
        validation: files to validate on; None to hold out a part of `train`.
        text: the column of the text in a table, by name, or by number counted from 0; several
            columns are joined.
        masking: the spec of the masking, which chooses the tokens to predict.
        header: whether the first row of a table names the columns.
        delimiter: the character between the fields of a table.
        encoding: the encoding of text files, such as 'cp1252'.
        data_dir: the folder for relative file names, or that of the other task.
        known_labels: not used.

    Raises:
        ValueError: if an argument is wrong. The message names it and the value.
    """

    problem_class = masked_lm.MaskedLm
    labels = ("token",)
    needs_test, guards_test = False, True

    def __init__(
        self,
        *,
        of: str | None = None,
        train: str | Sequence[str] | None = None,
        test: str | Sequence[str] | None = None,
        validation: str | Sequence[str] | None = None,
        text: Column | Sequence[Column] | None = None,
        masking: str = "tokens",
        header: bool | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        data_dir: str | None = None,
        known_labels: Sequence[str] | None = None,
    ):
        if (of is None) == (train is None):
            raise ValueError(
                f"`of` or `train` must be given, not both. Received: {of!r}, {train!r}."
            )
        super().__init__(
            files={"train": train, "validation": validation, "test": test},
            options=Options(header=header, delimiter=delimiter, encoding=encoding),
            data_dir=data_dir,
            required=(),
        )
        columns = (text,) if isinstance(text, (str, int)) else text
        self._columns = None if columns is None else tuple(columns)
        self._masking = masking
        self._other = None if of is None else _task(of, data_dir)
        for name in ("homepage", "citation", "license", "language", "hub_dataset"):
            setattr(self, name, getattr(self._other, name, None))

    def problem(self, labels: Sequence[str] | None = None) -> masked_lm.MaskedLm:
        """Return the problem of predicting masked tokens."""
        build: Any = self.problem_class
        return build(labels=self.labels, masking=self._masking)

    @property
    def notes(self) -> tuple[str, ...]:
        """Phrases that say what was detected in the files."""
        return () if self._other is not None else self._documents("train").notes

    def files(self) -> dict[str, list[pathlib.Path]]:
        return super().files() if self._other is None else self._other.files()

    def splits(self) -> dict[str, tf.data.Dataset]:
        """Return the texts of each split; their answer is 0.

        Raises:
            UserError: if the data can't be read.
        """
        if self._other is not None:
            texts = self._other.texts()
            nothing = tf.constant(0, tf.int64)
            return {
                n: dataset.map(lambda row: {**row, "label": nothing})
                for n, dataset in texts.items()
            }
        return {name: stream(functools.partial(self._examples, name)) for name in self._files}

    @cached_method
    def _documents(self, split: str) -> Documents:
        return open_documents(self._files[split], self._folder, self._options, self._columns)

    def _examples(self, split: str) -> Iterator[Example]:
        for text in self._documents(split).texts():
            yield {"text": text, "label": 0}


def _task(name: str, data_dir: str | None) -> Task:
    """Return the task of a name, without arguments.

    Raises:
        ValueError: if there is no such task, or it needs arguments.
    """
    classes = {module: cls for cls, module in lazy.class_names(tasks.__path__).items()}
    if name in classes:
        build: Any = lazy.find_class(tasks.__name__, classes[name])
        parameters = inspect.signature(build).parameters.values()
        if all(parameter.default is not parameter.empty for parameter in parameters):
            return build(data_dir=data_dir)
    raise ValueError(f"`of` must name a task that needs no files. Received: {name!r}.")
