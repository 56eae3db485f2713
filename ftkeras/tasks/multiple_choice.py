"""Multiple choice: questions with options in the user's own files."""

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ftkeras.data.sources.stream import Example
from ftkeras.data.tables import options
from ftkeras.data.tables.inference import Roles, find_position
from ftkeras.data.tables.profile import is_missing
from ftkeras.data.tables.reading import Options
from ftkeras.data.tables.table import Row, Table
from ftkeras.data.tables.texts import encode, joined
from ftkeras.errors import UserError
from ftkeras.problems import multiple_choice as problem
from ftkeras.support import bounds
from ftkeras.tasks._own_files import SAMPLE_ROWS, Column, Columns, OwnFiles, column_names

# Columns that are the question: what it is about, and the question itself.
_CONTEXTS = ("article", "passage", "context", "premise")
_QUESTIONS = (
    *("question", "question_stem", "stem", "startphrase", "ctx", "goal", "query", "prompt"),
    *("sentence", "sent1", "text"),
)


class _Facts(NamedTuple):
    """Properties that the questions of a file have in common.

    Attributes:
        most: the most options of a question.
        notation: how answers name an option.
    """

    most: int
    notation: str


class MultipleChoice(OwnFiles):
    """Choose one of several options for each question of your own files.

    Files may have the formats of `classification`. The options of a question are in one column each
    (`choice0`, `choice1`, …; `option_a`, …; the last ones may be empty), or in one column as a list
    of texts, a list of {"text", "label"}, or {"text": […], "label": […]}. An answer is the number,
    letter, label or text of an option. Arguments that are not given are inferred from the training
    data.

    Args:
        train: a file, folder or glob pattern with the examples to train on, or several of these.
        test: files to test on; None to hold out a part of `train`.
        validation: files to validate on; None to hold out a part of `train`.
        text: the column of the question, by name, or by number counted from 0; several columns are
            joined.
        label: the column of the answer.
        pair: the columns of the options, 'a,b,c' or a tuple; or the column that lists them.
        notation: how answers name an option: 'number from 0', 'number from 1', 'letter', 'name' (of
            its column, or its label) or 'text'; None for the one that fits the answers in `train`.
            When a run is evaluated, its notation is only preferred.
        header: whether the first row names the columns.
        delimiter: the character between the fields of a text file.
        encoding: the encoding of text files, such as 'cp1252'.
        data_dir: the folder for relative file names; None for the current one.
        known_labels: the names of the options of the run, when a run is evaluated. No question may
            have more options.

    Raises:
        ValueError: if an argument is wrong. The message names it and the value.
    """

    problem_class = problem.MultipleChoice

    def __init__(
        self,
        *,
        train: str | Sequence[str],
        test: str | Sequence[str] | None = None,
        validation: str | Sequence[str] | None = None,
        text: Columns | None = None,
        label: Column | None = None,
        pair: Columns | None = None,
        notation: str | None = None,
        header: bool | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        data_dir: str | None = None,
        known_labels: Sequence[str] | None = None,
    ):
        if notation is not None:
            bounds.choice(options.NOTATIONS, notation=notation)
        super().__init__(
            files={"train": train, "validation": validation, "test": test},
            text=text,
            answer=() if label is None else (label,),
            pair=None,
            options=Options(header=header, delimiter=delimiter, encoding=encoding),
            data_dir=data_dir,
        )
        self._given_options = column_names(pair)
        self._given_notation, self._known_labels = notation, known_labels

    @functools.cached_property
    def labels(self) -> tuple[str, ...]:
        """The columns of the options; or their numbers, if one column lists them."""
        if self._known_labels is not None:
            return tuple(self._known_labels)
        if len(self._option_positions) > 1:
            names = self._table("train").columns
            return tuple(names[position] for position in self._option_positions)
        return tuple(map(str, range(self._facts.most)))

    @property
    def pairs(self) -> bool:
        """True: the options of a question are its second text, one in each line."""
        return True

    @property
    def notes(self) -> tuple[str, ...]:
        """The facts that were detected and inferred, a phrase each."""
        return (*super().notes, f"each answer is the {self._facts.notation} of an option")

    @property
    def columns(self) -> dict[str, object]:
        """The columns of `train` with the question, the options and the answer; its notation."""
        listed = self._named(self._option_positions)
        return {**super().columns, "pair": listed, "notation": self._facts.notation}

    @functools.cached_property
    def _roles(self) -> Roles:
        table, lowered = self._table("train"), [n.lower() for n in self._table("train").columns]

        def position(name: Column, argument: str) -> int:
            return find_position(table.name, table.columns, name, argument)

        def first(names: Sequence[str]) -> list[int]:
            return [lowered.index(name) for name in names if name in lowered][:1]

        if self._chosen.text is not None:
            text = [position(name, "text_column") for name in self._chosen.text]
        else:
            text = first(_CONTEXTS) + first(_QUESTIONS)
        if self._chosen.label is not None:
            label = [position(self._chosen.label, "label_column")]
        else:
            answer_at = options.find_answer(table.columns, self._option_positions)
            label = [] if answer_at is None else [answer_at]
        for columns, argument, what in ((text, "text", "questions"), (label, "label", "answers")):
            if not columns:
                listed = ", ".join(map(repr, table.columns))
                raise UserError(
                    f"`{argument}_column`: name the column of {table.name!r} with the {what}; its "
                    f"columns are {listed}."
                )
        question = " and ".join(repr(table.columns[p]) for p in text)
        listed = ", ".join(repr(table.columns[p]) for p in self._option_positions)
        answer = repr(table.columns[label[0]])
        notes = (f"question from {question}", f"options from {listed}", f"answer from {answer}")
        return Roles(tuple(text), None, label[0], notes)

    @functools.cached_property
    def _option_positions(self) -> tuple[int, ...]:
        """The positions of the options' columns in `train`."""
        table = self._table("train")
        if chosen := self._split(self._given_options):
            return tuple(find_position(table.name, table.columns, n, "pair_column") for n in chosen)
        rows = [row for _, row in itertools.islice(table.rows(), options.ROWS)]
        if not (positions := options.find_columns(table.columns, rows)):
            raise UserError(
                f"`pair_column`: name the columns of {table.name!r} with the options; its columns "
                f"are {', '.join(map(repr, table.columns))}."
            )
        return positions

    @functools.cached_property
    def _facts(self) -> _Facts:
        """The common properties of the questions of `train`, which is read once."""
        table, answers, most = self._table("train"), [], 0
        for line, row in table.rows():
            listed = self._read_options(table, line, row, self._option_positions)
            most = max(most, len(listed.texts))
            if len(answers) < SAMPLE_ROWS:
                answers.append((row[self._roles.label], listed))
        given = self._given_notation
        if given is not None and self._known_labels is None:
            return _Facts(most, given)
        try:
            return _Facts(most, options.find_notation(answers, preferred=given))
        except ValueError as error:
            raise UserError(f"`label_column`: in {table.name!r}, {error}.") from None

    def _check_answers(self) -> None:
        for split in self._files:
            self._option_columns_of(split)
        _ = self._facts  # reads the answers

    def _option_columns_of(self, split: str) -> list[int]:
        """Return the positions of the options' columns in a split."""
        return [self._position(split, p, "pair_column") for p in self._option_positions]

    def _examples(self, split: str) -> Iterator[Example]:
        table, (text, _, answer) = self._table(split), self._positions(split)
        columns = self._option_columns_of(split)
        for line, row in table.rows():
            listed = self._read_options(table, line, row, columns)
            if len(listed.texts) > len(self.labels):
                raise UserError(
                    f"`data`: line {line} of {table.name!r} has {len(listed.texts)} options; the "
                    f"model chooses between at most {len(self.labels)}."
                )
            cleaned = (" ".join(option.split()) for option in listed.texts)
            yield {
                "text": encode(joined(table, line, row, text)),
                "pair": encode("\n".join(cleaned)),
                "label": self._number(table, line, row[answer[0]], listed),
            }

    def _number(self, table: Table, line: int, value: object, listed: options.Options) -> int:
        number = options.index(self._facts.notation, value, listed)
        if number is None:
            what = "no answer" if is_missing(value) else f"the answer {str(value)[:60]!r}"
            raise UserError(
                f"`data`: line {line} of {table.name!r} has {what}, which is not the "
                f"{self._facts.notation} of one of its {len(listed.texts)} options; correct it, or "
                "list the classes in `label_names` if answers are no options."
            )
        return number

    def _read_options(
        self, table: Table, line: int, row: Row, positions: Sequence[int]
    ) -> options.Options:
        names = [table.columns[position] for position in positions]
        try:
            return options.read([row[position] for position in positions], names)
        except ValueError as error:
            raise UserError(f"`data`: line {line} of {table.name!r}: {error}.") from None
