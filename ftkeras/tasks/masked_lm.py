"""Texts without answers, from which a masked language model learns."""

import functools
import json
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

from ftkeras import tasks
from ftkeras.data.questions.reading import find_questions
from ftkeras.data.questions.records import Columns
from ftkeras.data.sources.stream import Example, stream
from ftkeras.data.tables.documents import Documents, open_documents
from ftkeras.data.tables.reading import Options, open_data
from ftkeras.data.tables.texts import encode
from ftkeras.data.tagged.reading import find_tagged
from ftkeras.data.task import Task
from ftkeras.errors import UserError
from ftkeras.problems import masked_lm
from ftkeras.support import lazy, specs
from ftkeras.support.cached_methods import cached_method
from ftkeras.tasks._file_task import FileTask
from ftkeras.tasks.question_answering import QuestionAnswering
from ftkeras.tasks.token_classification import TokenClassification

Column = str | int


class MaskedLm(FileTask):
    """Predict masked tokens of texts, from another task or from your own files.

    Labels are not read. Texts that also occur in the test split, exactly or nearly, are left out of
    training. `pretrain` uses this task.

    Args:
        of: the spec of a task whose texts to read, instead of `train` and what is about files.
        train: file, folder or glob pattern of the texts, or several of these. Each line of a text
            file, each `.txt` file of a folder, and each row of a table is a text. Of tagged texts
            and of questions with contexts, only the texts are read.
        test: files whose texts are left out of training, and tested on if you ask for it; or None.
        validation: files to validate on; None to hold out a part of `train`.
        text: the column of the text in a table, by name, or by number counted from 0; several
            columns are joined.
        masking: the spec of the masking, which chooses the tokens to predict.
        held_out: a file with the texts that another run holds out for test, if the data have no
            test split; JSON lines of {"text": …}.
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
        held_out: str | None = None,
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
        given = {"validation": validation, "test": test, "text": text}
        given |= {"header": header, "delimiter": delimiter, "encoding": encoding}
        if of is not None and (names := [n for n, value in given.items() if value is not None]):
            raise ValueError(
                f"`{names[0]}` is for `train`; give it to the task of `of`. "
                f"Received: {given[names[0]]!r} with of={of!r}."
            )
        if held_out is not None and test is not None:
            raise ValueError(
                f"`held_out` is for data without `test`. Received: {held_out!r}, {test!r}."
            )
        super().__init__(
            files={"train": train, "validation": validation, "test": test},
            options=Options(header=header, delimiter=delimiter, encoding=encoding),
            data_dir=data_dir,
            required=(),
        )
        columns = (text,) if isinstance(text, (str, int)) else text
        self._columns = None if columns is None else tuple(columns)
        self._data_dir = data_dir
        self._masking = masking
        self._held_out = None if held_out is None else pathlib.Path(held_out)
        self._given = None if of is None else _task(of, data_dir)
        for name in ("homepage", "citation", "license", "language", "hub_dataset"):
            setattr(self, name, getattr(self._given, name, None))

    def problem(self, labels: Sequence[str] | None = None) -> masked_lm.MaskedLm:
        """Return the problem of predicting masked tokens."""
        build: Any = self.problem_class
        return build(labels=self.labels, masking=self._masking)

    @property
    def notes(self) -> tuple[str, ...]:
        """Phrases that say what was detected in the files."""
        if self._given is not None:
            return ()
        if (texts := self._found) is None:
            return self._documents("train").notes
        return (*texts.notes, "only their texts are read")

    def files(self) -> dict[str, list[pathlib.Path]]:
        by_split = super().files() if self._given is None else self._given.files()
        return by_split if self._held_out is None else {**by_split, "test": [self._held_out]}

    def splits(self) -> dict[str, tf.data.Dataset]:
        """Return the texts of each split; their answer is 0.

        Raises:
            UserError: if the data can't be read.
        """
        other = self._given or self._found
        if other is None:
            datasets = {
                name: stream(functools.partial(self._examples, name)) for name in self._files
            }
        else:
            nothing = tf.constant(0, tf.int64)
            datasets = {
                name: dataset.map(lambda row: {**row, "label": nothing})
                for name, dataset in other.texts().items()
            }
        if self._held_out is None:
            return datasets
        return {**datasets, "test": stream(self._held_out_texts)}

    @functools.cached_property
    def _found(self) -> Task | None:
        """The task of tagged texts or of questions, if the files hold them; None if they do not."""
        if self._columns is not None or "train" not in self._files:
            return None
        try:
            cls = self._find()
        except UserError:  # reading the whole file shows what is wrong
            return None
        if cls is None:
            return None
        given = {**self._files, "encoding": self._options.encoding, "data_dir": self._data_dir}
        if cls is QuestionAnswering:
            given |= {"header": self._options.header, "delimiter": self._options.delimiter}
        return cls(**given)

    def _find(self) -> type | None:
        """Return the task that tagged texts or questions pose; None if the files hold neither."""
        names = self._files["train"]
        listed = [names] if isinstance(names, str) else list(names)
        where = (names, self._folder, self._options)
        table = functools.partial(open_data, listed, self._folder, self._options)
        if find_questions(*where, table, columns=Columns()):
            return QuestionAnswering
        return TokenClassification if find_tagged(*where, table) else None

    @cached_method
    def _documents(self, split: str) -> Documents:
        return open_documents(self._files[split], self._folder, self._options, self._columns)

    def _examples(self, split: str) -> Iterator[Example]:
        is_empty = True
        for text in self._documents(split).texts():
            is_empty = False
            yield {"text": text, "label": 0}
        if is_empty:
            names = self._files[split]
            listed = names if isinstance(names, str) else ", ".join(names)
            key = "data" if split == "train" else f"{split}_data"
            raise UserError(f"`{key}`: {listed} has no text; name files with at least two texts.")

    def _held_out_texts(self) -> Iterator[Example]:
        assert self._held_out is not None
        try:
            lines = self._held_out.read_text(encoding="utf-8").rstrip("\n").split("\n")
        except OSError as error:
            raise UserError(f"`held_out`: {self._held_out} can't be read: {error}.") from None
        for line in lines:
            yield {"text": encode(json.loads(line)["text"]), "label": 0}


def _task(text: str, data_dir: str | None) -> Task:
    """Return the task of a spec.

    Raises:
        ValueError: if there is none.
    """
    spec = specs.parse("of", text)
    known = {module: cls for cls, module in lazy.class_names(tasks.__path__).items()}
    if spec.name not in known:
        raise ValueError(f"`of` must be one of {', '.join(sorted(known))}. Received: {text!r}.")
    task_class: Any = lazy.find_class(tasks.__name__, known[spec.name])
    try:
        return task_class(data_dir=data_dir, **spec.arguments)
    except TypeError as error:
        raise ValueError(f"`of`={text}: {error}") from None
