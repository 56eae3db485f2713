"""Classification of texts in the user's own files."""

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

from ftkeras.data.questions.reading import find_questions
from ftkeras.data.questions.records import Columns
from ftkeras.data.tables import inference, label_lists, options, profile
from ftkeras.data.tables.labels import Labels, find_labels, recorded_labels
from ftkeras.data.tables.reading import Options
from ftkeras.data.tables.table import Row, Table
from ftkeras.data.tagged.reading import find_tagged
from ftkeras.errors import UserError
from ftkeras.tasks._own_files import Column, OwnFiles, given_labels


class Classification(OwnFiles):
    """Assign one of several labels to each text, or pair of texts, of your own files.

    Files may be CSV, TSV and similar files, JSON lines or arrays, Parquet, Arrow, `.xlsx`, a folder
    of `.txt` files per class, or a folder of `datasets.save_to_disk`; compressed or not. Arguments
    that are not given are inferred from the training data.

    The data may also decide for another task: many different numbers, without `labels`, for
    `regression`; several labels per text for `multi_label`; tagged texts for
    `token_classification`; questions with contexts and answers for `question_answering`.

    Args:
        train: a file, folder or glob pattern with the examples to train on, or several of these.
        test: files to test on; None to hold out a part of `train`.
        validation: files to validate on; None to hold out a part of `train`.
        text: the column of the text, by name, or by number counted from 0; several columns are
            joined.
        label: the column of the label, by name, or by number counted from 0.
        pair: the column of the second text, if examples are pairs.
        labels: names for the labels in the files, {'1': 'World', '2': 'Sports'}; or all labels in
            the order of their ids, 'a,b,c' or a tuple. None for those in `train`: numbers in
            numerical order, words in alphabetical order.
        header: whether the first row names the columns.
        delimiter: the character between the fields of a text file.
        encoding: the encoding of text files, such as 'cp1252'.
        data_dir: the folder for relative file names; None for the current one.
        known_labels: the labels of the run in the order of their ids, when a run is evaluated.
            Other labels are refused, and `labels` may rename values to these.

    Raises:
        ValueError: if an argument is wrong. The message names it and the value.
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
        super().__init__(
            files={"train": train, "validation": validation, "test": test},
            text=text,
            answer=() if label is None else (label,),
            pair=pair,
            options=Options(header=header, delimiter=delimiter, encoding=encoding),
            data_dir=data_dir,
        )
        self._given_labels = None if labels is None else given_labels(labels)
        self._known_labels = known_labels

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes; reads `train` once."""
        return self._labels.names

    @property
    def warnings(self) -> tuple[str, ...]:
        """Likely mistakes in the labels, and options that are not read, a sentence each."""
        return (*self._labels.warnings, *self._unread_options())

    def better_task(self) -> tuple[str, str] | None:
        """Return the task of several labels, many numbers or tagged texts; see `Task`."""
        if self._known_labels is not None:
            return None
        try:
            return self._better_task()
        except UserError:  # reading the whole file shows what is wrong
            return None

    def _better_task(self) -> tuple[str, str] | None:
        if questions := self._find(functools.partial(find_questions, columns=self._questions)):
            name, layout = questions
            return "question_answering", f"{name!r} holds questions and contexts, {layout}"
        if tagged := self._find(find_tagged):
            name, layout = tagged
            return "token_classification", f"{name!r} holds tagged texts, {layout}"
        table, sample = self._table("train"), self._sample
        names = [part.strip() for name in self._answer_columns for part in str(name).split(",")]
        if len(names) > 1 and self._answer_columns[0] not in table.columns:
            columns = [inference.find_column(sample, name, "label_column") for name in names]
            if all(map(label_lists.holds_indicators, columns)):
                return "multi_label", f"{len(names)} columns of {table.name!r} hold 0 and 1"
            return "regression", f"{len(names)} columns of {table.name!r} are numbers"
        if positions := self._find_options(table):
            listed = ", ".join(repr(table.columns[position]) for position in positions)
            return "multiple_choice", f"{listed} of {table.name!r} hold options"
        if indicators := inference.find_indicators(sample, self._chosen):
            listed = ", ".join(repr(column.name) for column in indicators)
            return "multi_label", f"the columns {listed} of {sample.name!r} hold 0 and 1"
        column = sample.columns[inference.infer_roles(sample, self._chosen).label]
        given = self._given_labels or {}
        if column.counts and column.counts.keys() <= set(given):
            return None
        problem = inference.find_problem(column, classes=bool(given))
        if problem == "regression" and not given:
            numbers = f"the labels of {sample.name!r} are many different numbers"
            return problem, f"{numbers}; with `label_names` they are classes{self._of_pairs()}"
        if problem == "multi_label":
            return problem, f"texts of {sample.name!r} have several labels each"
        return None

    def _of_pairs(self) -> str:
        """Return the alternative to regression for pairs of texts, as the end of a message."""
        return "; task=similarity(train=…) embeds each text instead" if self.pairs else ""

    @property
    def _questions(self) -> Columns:
        """The columns of questions, contexts and answers, if these are what the user has named."""
        text = self._chosen.text
        question = text[0] if text is not None and len(text) == 1 else None
        return Columns(text=question, pair=self._chosen.pair, label=self._chosen.label)

    def _find(self, finder: Callable[..., tuple[str, str] | None]) -> tuple[str, str] | None:
        """Return the name and the layout of `train` if it is what `finder` looks for, or None."""

        def table() -> Table:
            return self._table("train")

        return finder(self._files["train"], self._folder, self._options, table)

    def _find_options(self, table: Table) -> tuple[int, ...]:
        """Return the positions of the columns that hold options of questions; none if none do."""
        if self._given_labels:
            return ()
        if self._chosen.pair is not None:
            names = [name.strip() for name in str(self._chosen.pair).split(",")]
            positions = tuple(table.columns.index(name) for name in names if name in table.columns)
            return positions if len(positions) == len(names) > 1 else ()
        label = self._chosen.label
        if label is not None:
            label = inference.find_position(table.name, table.columns, label, "label_column")
        return options.find(table.columns, self._option_rows(table), label)

    def _unread_options(self) -> Iterator[str]:
        """Yield that columns which look like options of questions are not read, if any are not."""
        table, roles = self._table("train"), self._roles
        found = options.find_columns(table.columns, self._option_rows(table))
        unread = [n for n in found if n not in (*roles.text, roles.pair, roles.label)]
        if unread:
            listed = ", ".join(repr(table.columns[n]) for n in unread)
            yield (
                f"classification does not read {listed}, which look like options of questions; "
                "task=multiple_choice(train=…) chooses one of them"
            )

    def _option_rows(self, table: Table) -> list[Row]:
        return [row for _, row in itertools.islice(table.rows(), options.ROWS)]

    def _check_answers(self) -> None:
        _ = self._labels  # reads the answers

    @functools.cached_property
    def _labels(self) -> Labels:
        if self._known_labels is not None:
            return recorded_labels(self._known_labels, self._given_labels)
        if isinstance(self._given_labels, tuple):
            return Labels(self._given_labels, {n: i for i, n in enumerate(self._given_labels)})
        column = self._profile.columns[self._roles.label]
        named = self._chosen.label is not None
        classes = bool(self._given_labels)
        problem = inference.find_problem(column, named=named, classes=classes)
        if problem != "classification":
            raise UserError(
                f"`data`: the labels of {self._profile.name!r} are {_LABELS_OF[problem]}"
            )
        return find_labels(self._profile.name, column, self._given_labels)

    def _answer(self, table: Table, line: int, values: Row) -> int:
        (value,) = values
        label = None if profile.is_missing(value) else self._labels.id_of(value)
        if label is None:
            what = "no label" if profile.is_missing(value) else f"the label {value!r}"
            names = ", ".join(map(repr, self.labels[:20]))
            raise UserError(
                f"`data`: line {line} of {table.name!r} has {what}; the labels are {names}."
            )
        return label


_LABELS_OF = {
    "regression": "numbers, which are no classes; use task=regression(train=…).",
    "multi_label": "lists, which is multi-label; use task=multi_label(train=…).",
}
